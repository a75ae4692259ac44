// Charts of a route: drawn from the numbers beside them, in the colours of the page, in light ones on paper.
(() => {
  "use strict";
  const holder = document.getElementById("trend");
  if (!holder || !window.Chart) return;
  const trend = JSON.parse(holder.textContent);
  const LIGHT = { ink: "#384249", grid: "#dfe3e7", delivered: "#1b6b79", acted: "#92560a", arrived: "#65727e", band: "rgb(27 107 121 / 14%)" };
  const DARK = { ink: "#c5ccd3", grid: "#384249", delivered: "#5bb3bf", acted: "#f0b45c", arrived: "#94a0ab", band: "rgb(91 179 191 / 18%)" };
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const charts = [];

  const line = (label, data, colour, more) => ({
    label, data, borderColor: colour, backgroundColor: colour, borderWidth: 2, pointRadius: 0, pointHoverRadius: 4, tension: 0.2, spanGaps: false, ...more,
  });
  const DRAWN = {
    volume: (colours) => [
      line("Usual, at least", trend.low, colours.band, { borderWidth: 0, fill: false, backgroundColor: colours.band }),
      line("Usual band", trend.high, colours.band, { borderWidth: 8, borderColor: "transparent", fill: "-1", backgroundColor: colours.band }),
      line("Delivered", trend.delivered, colours.delivered),
      line("Dealt with", trend.acted, colours.acted, { borderDash: [6, 3] }),
      line("Arrived at the sources", trend.arrived, colours.arrived, { borderDash: [2, 3], borderWidth: 1.5 }),
    ],
    lag: (colours) => [line("Longest wait in minutes", trend.lag, colours.delivered, { fill: "origin", backgroundColor: colours.band })],
  };
  const options = (colours) => ({
    responsive: true, maintainAspectRatio: false, animation: false, interaction: { mode: "index", intersect: false },
    scales: {
      x: { ticks: { color: colours.ink, maxRotation: 0, autoSkip: true, maxTicksLimit: 8 }, grid: { display: false } },
      y: { beginAtZero: true, suggestedMax: 4, ticks: { color: colours.ink, precision: 0 }, grid: { color: colours.grid } },
    },
    plugins: {
      legend: { position: "bottom", labels: { color: colours.ink, boxWidth: 18, boxHeight: 3, filter: (item) => item.text !== "Usual, at least" } },
      tooltip: { animation: still ? false : undefined },
    },
  });
  const colours = () => (document.documentElement.classList.contains("dark") ? DARK : LIGHT);
  const draw = (chosen) => {
    charts.splice(0).forEach((chart) => chart.destroy());
    document.querySelectorAll("canvas[data-chart]").forEach((canvas) => {
      charts.push(new window.Chart(canvas, {
        type: "line", data: { labels: trend.labels, datasets: DRAWN[canvas.dataset.chart](chosen) }, options: options(chosen),
      }));
    });
  };
  draw(colours());
  new MutationObserver(() => draw(colours())).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  window.addEventListener("beforeprint", () => { draw(LIGHT); charts.forEach((chart) => chart.resize(680, 220)); });
  window.addEventListener("afterprint", () => draw(colours()));
})();
