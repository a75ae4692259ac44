// Behaviour of the console's own pages: questions before acts that are hard to take back, and rows that can be added.
(() => {
  "use strict";

  document.addEventListener("submit", (event) => {
    const question = event.target.dataset && event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });

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
