// The manual: a list of the places in the article that is open, and printing. Without it everything still reads.
(() => {
  "use strict";

  const start = () => {
    document.querySelectorAll("[data-print]").forEach((button) => {
      button.hidden = false;
      button.addEventListener("click", () => window.print());
    });
    const here = document.querySelector("[data-here]");
    if (!here) return;
    const headings = [...document.querySelectorAll(".mn-article section[id] > h3:not(.sy-hidden)")];
    if (headings.length < 3) return;
    for (const heading of headings) {
      const link = document.createElement("a");
      link.href = `#${heading.parentElement.id}`;
      link.textContent = heading.textContent;
      const entry = document.createElement("li");
      entry.append(link);
      here.querySelector("ol").append(entry);
    }
    here.hidden = false;
    here.parentElement.classList.add("mn-with-here");
  };

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
