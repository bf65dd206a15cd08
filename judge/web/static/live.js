// Follows a job while its page is open; without this script the page shows how far it was when it was loaded.
// What models and judges said is in these events: it is only ever set as text.
const MOST_LINES = 20;
const live = document.querySelector("[data-job]");
if (live) {
  const part = (name) => live.querySelector(`[data-live=${name}]`);
  const source = new EventSource(`/api/v1/jobs/${live.dataset.job}/events?after=${live.dataset.after}`);

  const showJob = (job) => {
    part("state").textContent = job.state;
    if (job.run_id) {
      const link = part("run").querySelector("a");
      link.href = `/runs/${encodeURIComponent(job.run_id)}`;
      link.querySelector("span").textContent = job.run_id;
      part("run").hidden = false;
    }
  };

  source.addEventListener("progress", (event) => {
    const { progress } = JSON.parse(event.data);
    part("text").textContent = progress.text;
    if (progress.owed) {
      part("bar").max = progress.owed;
      part("bar").value = progress.done;
      part("counts").textContent = `${progress.phase}: ${progress.done} of ${progress.owed}`;
    }
    const line = document.createElement("li");
    line.textContent = progress.text;
    const log = part("log");
    log.append(line);
    while (log.children.length > MOST_LINES) {
      log.firstElementChild.remove();
    }
    log.scrollTop = log.scrollHeight;
  });

  source.addEventListener("job", (event) => showJob(JSON.parse(event.data)));

  source.addEventListener("end", (event) => {
    source.close();
    showJob(JSON.parse(event.data));
    part("ended").hidden = false;
    document.querySelectorAll("[data-live-form]").forEach((form) => form.remove());
  });

  // A service that is started again is found again by the browser itself; only a refusal is for good.
  source.addEventListener("error", () => {
    part("lost").hidden = source.readyState !== EventSource.CLOSED;
  });
  source.addEventListener("open", () => {
    part("lost").hidden = true;
  });
}
