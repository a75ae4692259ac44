// Behaviour of the console's own pages: questions before acts that are hard to take back, rows that can be added, and where typing begins.
(() => {
  "use strict";

  document.addEventListener("submit", (event) => {
    const question = event.target.dataset && event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });

  document.addEventListener("toggle", (event) => {  // what is unfolded to be typed into takes the cursor
    const field = event.target.open && event.target.querySelector("[data-first]");
    if (field) field.focus();
  }, true);

  const fresh = (row) => {
    const copy = row.cloneNode(true);
    copy.querySelectorAll("input").forEach((input) => {
      input.value = input.defaultValue && input.name === "quantity" ? "1" : "";
    });
    const stamp = `_${Date.now()}`;
    copy.querySelectorAll("[id]").forEach((node) => { node.id += stamp; });
    copy.querySelectorAll("label[for]").forEach((label) => { label.htmlFor += stamp; });
    return copy;
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-add-row]");
    if (!button) return;
    const rows = button.closest("form").querySelector("[data-rows]");
    const copy = fresh(rows.querySelector("[data-row]"));
    rows.append(copy);
    copy.querySelector("input").focus();
  });
})();
