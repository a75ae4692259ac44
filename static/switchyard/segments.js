// The size of a segment over time, drawn in the colours of the page, light or dark, and drawn again when those change.
(() => {
  "use strict";
  const begin = () => {
    const canvas = document.querySelector("[data-segment-chart]");
    const source = document.getElementById("segment-chart");
    if (!canvas || !source || !window.Chart) return;
    const data = JSON.parse(source.textContent);
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    let chart = null;

    const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

    const sets = () => {
      const found = [{
        label: "People in it", data: data.size, borderColor: color("--sy-accent"), backgroundColor: color("--sy-accent"), borderWidth: 2,
        pointRadius: data.size.length > 40 ? 0 : 2.5, tension: 0, spanGaps: false,
      }];
      if (data.expected.some((value) => value !== null)) {
        found.push({
          label: "Our records expect", data: data.expected, borderColor: color("--sy-faint"), backgroundColor: color("--sy-faint"),
          borderDash: [6, 4], borderWidth: 1.5, pointRadius: 0, tension: 0, spanGaps: true,
        });
      }
      return found;
    };

    const draw = () => {
      if (chart) chart.destroy();
      const ink = color("--sy-faint");
      const line = color("--sy-line");
      chart = new window.Chart(canvas, {
        type: "line",
        data: { labels: data.labels, datasets: sets() },
        options: {
          animation: calm ? false : { duration: 250 }, maintainAspectRatio: false, responsive: true,
          interaction: { intersect: false, mode: "index" },
          plugins: { legend: { align: "start", labels: { boxHeight: 2, boxWidth: 24, color: ink }, position: "top" } },
          scales: {
            x: { grid: { display: false }, ticks: { autoSkip: true, color: ink, maxRotation: 0, maxTicksLimit: 7 } },
            y: { grace: "10%", grid: { color: line }, ticks: { color: ink, precision: 0 } },
          },
        },
      });
    };

    draw();
    new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["class"] });
    window.addEventListener("beforeprint", () => chart && chart.resize());
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
