// The box that finds anything: keys that lead to it, hits under it, and an address that names nobody.
(() => {
  "use strict";

  const OFF = "switchyard.keys.off";
  const typing = (node) => node instanceof Element && node.closest("input, textarea, select, [contenteditable]");
  const visible = (node) => node.getClientRects().length > 0;
  const inputs = () => [...document.querySelectorAll("[data-find]")].filter(visible);
  const found = (input) => document.getElementById(`${input.id}-found`);
  const links = (box) => [...box.querySelectorAll(".fd-hit, .fd-all")];
  const boxOf = (node) => node instanceof Element && node.closest("[data-find-box]");

  const open = () => {
    const input = inputs()[0];
    if (input) { input.focus(); input.select(); return true; }
    const page = document.querySelector(".fd-open");
    if (page) page.click();
    return Boolean(page);
  };
  const show = (input) => { const panel = found(input); panel.hidden = panel.childElementCount === 0; };
  const hideAll = (except) => document.querySelectorAll("[data-find-box]").forEach((box) => {
    if (box !== except) box.querySelector(".fd-found").hidden = true;
  });

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      if (open()) event.preventDefault();
      return;
    }
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (document.querySelector("dialog[open]") || localStorage.getItem(OFF) === "1") return;
    const own = [...document.querySelectorAll('[data-page-search], [data-key="/"], #searchbar')].some(visible);
    if (!own && open()) event.preventDefault();
  });

  document.addEventListener("keydown", (event) => {
    const box = boxOf(event.target);
    if (!box) return;
    const input = box.querySelector("[data-find]"), panel = found(input), all = links(panel);
    const at = all.indexOf(document.activeElement);
    if (event.key === "Escape" && !panel.hidden) {
      panel.hidden = true;
      input.focus();
      event.preventDefault();
    } else if (event.key === "ArrowDown" && all.length) {
      panel.hidden = false;
      all[Math.min(at + 1, all.length - 1)].focus();
      event.preventDefault();
    } else if (event.key === "ArrowUp" && at >= 0) {
      (at === 0 ? input : all[at - 1]).focus();
      event.preventDefault();
    } else if (event.key === "Enter" && event.target === input && !panel.hidden && panel.dataset.of === input.value) {
      const first = panel.querySelector(".fd-hit");
      if (first) { event.preventDefault(); first.click(); }
    }
  });

  document.addEventListener("submit", (event) => {
    const box = boxOf(event.target);
    if (box && !box.querySelector("[data-find]").value.trim()) event.preventDefault();
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    const input = event.target;
    if (input.matches && input.matches("[data-find]")) found(input).dataset.asked = input.value;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (!event.target.classList.contains("fd-found")) return;
    event.target.dataset.of = event.target.dataset.asked;
    event.target.hidden = event.target.childElementCount === 0;
  });
  document.addEventListener("focusin", (event) => {
    const box = boxOf(event.target);
    hideAll(box);
    if (box && event.target.matches("[data-find]") && event.target.value) show(event.target);
  });
  document.addEventListener("click", (event) => { if (!boxOf(event.target)) hideAll(null); });

  document.addEventListener("DOMContentLoaded", () => {
    const page = document.querySelector("[data-find-address]");
    if (page && page.dataset.findAddress) history.replaceState(null, "", page.dataset.findAddress);
    const wide = document.getElementById("find-page");
    if (wide && !wide.value) wide.focus();
  });
})();
