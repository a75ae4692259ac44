// The exception desk: single keys that move through the list and press what is on the row, and the dialog for putting a question away.
(() => {
  "use strict";

  const OFF = "switchyard.keys.off";
  const PLACE = "switchyard.desk.row";
  const isOff = () => localStorage.getItem(OFF) === "1";
  const typing = (node) => node.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
  const rows = () => [...document.querySelectorAll("#result_list tbody tr")];
  const link = (row) => row.querySelector("th a");
  let place = -1;

  const say = (text) => {
    const spoken = document.querySelector("[data-said]");
    if (spoken) spoken.textContent = text;
  };

  const go = (index) => {
    const all = rows();
    if (!all.length) return;
    place = Math.max(0, Math.min(index, all.length - 1));
    all.forEach((row, number) => row.classList.toggle("sy-here", number === place));
    const target = link(all[place]);
    target.focus();
    target.scrollIntoView({ block: "nearest" });
  };

  const here = () => rows()[place];

  const tick = () => {
    const box = here() && here().querySelector("input.action-select");
    if (!box) return;
    box.click();
    say(box.checked ? "Ticked" : "Not ticked any more");
  };

  const ON_PAGE = {
    assign: 'form.sy-act[action$="/assign/"] button',
    snooze: "#snooze button",
    undo: 'form.sy-act[action$="/undo/"] button',
  };

  const press = (what) => {
    const row = here();
    const button = row && what !== "undo" ? row.querySelector(`[data-do="${what}"]`) : document.querySelector(ON_PAGE[what] || "[data-no]");
    if (!button) say("This cannot be done here");
    else if (!row && what === "snooze") button.focus();
    else button.click();
  };

  const search = () => {
    const box = document.querySelector("#searchbar, input[name=q]");
    if (!box) return;
    box.focus();
    box.select();
  };

  const MOVES = {
    j: () => go(place + 1),
    k: () => go(place < 0 ? 0 : place - 1),
    x: tick,
    a: () => press("assign"),
    h: () => press("snooze"),
    z: () => press("undo"),
    1: () => press("accept"),
    "/": search,
  };

  const list = () => document.querySelector("[data-desk]");

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat || isOff() || typing(event.target)) return;
    if (!list() || document.querySelector("dialog[open]")) return;
    const move = MOVES[event.key];
    const button = move ? null : [...document.querySelectorAll("[data-key]")].find((node) => node.dataset.key === event.key);
    if (!move && !button) return;
    event.preventDefault();
    if (move) move(); else button.click();
  });

  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("#result_list tbody tr");
    if (!row || !list()) return;
    place = rows().indexOf(row);
    rows().forEach((other, number) => other.classList.toggle("sy-here", number === place));
  });

  const openSnooze = (from) => {
    const dialog = document.getElementById("desk-snooze");
    dialog.querySelector("[data-snooze]").action = from.dataset.url;
    dialog.querySelector("[data-snooze-what]").textContent = from.dataset.title;
    dialog.showModal();
    dialog.addEventListener("close", () => from.focus(), { once: true });
  };

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener) document.getElementById(opener.dataset.open).showModal();
    const away = event.target.closest('[data-do="snooze"]');
    if (away && document.getElementById("desk-snooze")) {
      event.preventDefault();
      openSnooze(away);
    }
  });

  document.addEventListener("submit", () => {  // the list comes back where one was
    if (list() && place >= 0) sessionStorage.setItem(PLACE, JSON.stringify([location.pathname + location.search, place]));
  });

  document.addEventListener("DOMContentLoaded", () => {
    const box = document.querySelector("[data-keys-on]");
    if (box) {
      box.checked = !isOff();
      box.addEventListener("change", () => { localStorage.setItem(OFF, box.checked ? "" : "1"); });
    }
    const [address, index] = JSON.parse(sessionStorage.getItem(PLACE) || "[null, -1]");
    sessionStorage.removeItem(PLACE);
    if (list() && address === location.pathname + location.search && index >= 0) go(index);
  });
})();
