// Unmapped products: single keys that press what is on the page, and components that come from the search.
(() => {
  "use strict";

  const OFF = "switchyard.keys.off";
  const typing = (node) => node.closest("input, textarea, select, [contenteditable]");
  const isOff = () => localStorage.getItem(OFF) === "1";

  const press = (target) => {
    if (target.matches("input")) { target.focus(); target.select(); } else target.click();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isOff() || typing(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    const target = [...document.querySelectorAll("[data-key]")].find((node) => node.dataset.key === event.key);
    if (!target) return;
    event.preventDefault();
    press(target);
  });

  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "catalogue-search") return;
    if (event.key === "Escape") event.target.blur();
    const first = document.querySelector("#found button");
    if (!first || !["Enter", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    first.focus();
  });

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener) document.getElementById(opener.dataset.open).showModal();
    const chosen = event.target.closest("[data-component]");
    if (chosen) component(chosen.dataset.component);
  });

  const component = (sku) => {
    const bundle = document.getElementById("bundle");
    bundle.open = true;
    const inputs = () => [...bundle.querySelectorAll('[name="target_sku"]')];
    let empty = inputs().find((input) => !input.value);
    if (!empty) {
      bundle.querySelector("[data-add-row]").click();
      empty = inputs().at(-1);
    }
    empty.value = sku;
    empty.closest("[data-row]").querySelector('[name="quantity"]').focus();
  };

  document.addEventListener("submit", (event) => {  // a second press of the same key must not answer twice
    if (event.target.closest(".sy-candidate, .sy-found")) event.target.querySelector("button").disabled = true;
  });

  document.addEventListener("DOMContentLoaded", () => {
    const box = document.querySelector("[data-keys-on]");
    if (!box) return;
    box.checked = !isOff();
    box.addEventListener("change", () => { localStorage.setItem(OFF, box.checked ? "" : "1"); });
  });
})();
