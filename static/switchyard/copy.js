// Copy buttons: the text of the element that they name. They stay hidden where copying cannot work.
(() => {
  "use strict";

  const start = () => {
    document.querySelectorAll("[data-copy]").forEach((button) => {
      button.hidden = false;
    });
  };

  const mark = (text) => {
    const range = document.createRange();
    range.selectNodeContents(text);
    const selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const text = document.getElementById(button.dataset.copy);
    const told = button.parentElement.querySelector("[data-copied]");
    let done = true;
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {
      mark(text);
      done = document.execCommand("copy");
    }
    if (told) told.textContent = done ? "Copied." : "Marked: press Ctrl+C.";
  });

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
