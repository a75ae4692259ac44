// The overview refreshes itself; this tells when it cannot, and catches up at once when its tab comes back.
(() => {
  "use strict";
  const page = document.getElementById("overview");
  const lost = document.getElementById("overview-lost");
  if (!page || !lost) return;
  const show = (missing) => { lost.hidden = !missing; page.classList.toggle("ov-old", missing); };
  document.body.addEventListener("htmx:sendError", () => show(true));
  document.body.addEventListener("htmx:responseError", () => show(true));
  document.body.addEventListener("htmx:afterSwap", () => show(false));
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") window.htmx.trigger(page, "comeback");
  });
})();
