// Keys press what is on the page; without this script everything works by mouse, Tab and Enter.
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
