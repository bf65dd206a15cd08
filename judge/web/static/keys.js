// Keys press what is on the page, and what is begun outlives a reload; without this script all works by mouse, Tab and Enter.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("textarea, input:not([type=radio])")) {
    return;
  }
  const target = [...document.querySelectorAll("[data-key]")].find((element) => element.dataset.key === event.key);
  if (target) {
    event.preventDefault();
    target.focus();
    target.click();
  }
});

// The tab remembers what is chosen and written here until it is sent, and forgets it when it is closed.
const form = document.querySelector("form[data-draft]");
if (form) {
  const place = location.pathname;
  const fields = () => Object.fromEntries(["score", "comment"].map((name) => [name, form.elements[name].value]));
  const begun = JSON.parse(sessionStorage.getItem(place) ?? "null");
  for (const [name, value] of Object.entries(begun ?? {})) {
    form.elements[name].value = value;
  }
  form.addEventListener("input", () => sessionStorage.setItem(place, JSON.stringify(fields())));
  form.addEventListener("submit", () => sessionStorage.removeItem(place));
}
