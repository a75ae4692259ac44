// The overview refreshes itself; this tells when it cannot, catches up at once when its tab comes back, keeps open what people unfolded,
// and opens a line of open exceptions by its digit.
(() => {
  "use strict";
  const OPEN = "switchyard.unfolded";
  const read = () => { try { return new Set(JSON.parse(sessionStorage.getItem(OPEN) || "[]")); } catch { return new Set(); } };
  const write = (ids) => { try { sessionStorage.setItem(OPEN, JSON.stringify([...ids])); } catch { /* storage is blocked: it folds again */ } };
  const unfold = () => { for (const id of read()) { const node = document.getElementById(id); if (node && node.matches("details")) node.open = true; } };

  document.addEventListener("toggle", (event) => {
    const node = event.target;
    if (!node.matches || !node.matches("details.ov-flows") || !node.id) return;
    const ids = read();
    if (node.open) ids.add(node.id); else ids.delete(node.id);
    write(ids);
  }, true);
  document.addEventListener("click", (event) => { if (event.target.closest("[data-print]")) window.print(); });

  const busy = (event) => event.ctrlKey || event.metaKey || event.altKey || event.repeat || localStorage.getItem("switchyard.keys.off") === "1"
    || event.target.closest("input, textarea, select, [contenteditable]") || document.querySelector("dialog[open]");
  document.addEventListener("keydown", (event) => {  // a digit opens the line of open exceptions that has it
    if (!/^[1-9]$/.test(event.key) || busy(event)) return;
    const line = document.querySelectorAll("#overview [data-line]")[event.key - 1];
    if (!line) return;
    event.preventDefault();
    line.click();
  });

  const page = document.getElementById("overview");
  const lost = document.getElementById("overview-lost");
  unfold();
  if (!page || !lost) return;
  const show = (missing) => { lost.hidden = !missing; page.classList.toggle("ov-old", missing); };
  document.body.addEventListener("htmx:sendError", () => show(true));
  document.body.addEventListener("htmx:responseError", () => show(true));
  document.body.addEventListener("htmx:afterSwap", (event) => { if (event.target === page) { show(false); unfold(); } });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") window.htmx.trigger(page, "comeback");
  });
})();
