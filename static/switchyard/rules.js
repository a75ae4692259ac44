// The draft editor: rows and steps that come and go, and what a chosen field means beneath it.
(() => {
  "use strict";

  const start = () => {
    const editor = document.getElementById("rule-editor");
    if (!editor) return;
    const rows = document.getElementById("rule-rows");
    const template = document.getElementById("rule-template");
    const total = editor.querySelector('[name="rules-TOTAL_FORMS"]');
    const words = {};
    for (const kind of ["targets", "sources"]) {
      words[kind.slice(0, -1)] = new Map([...document.querySelectorAll(`#${kind} option`)].map((option) => [option.value, option.textContent]));
    }

    const explain = (input) => {
      const kind = input.dataset.field;
      const place = kind && input.closest("[data-rule]").querySelector(`[data-words="${kind}"]`);
      if (!place) return;
      const known = words[kind].get(input.value);
      place.textContent = known || (input.value ? "Not in the list; it is checked when the draft is saved." : "");
    };

    const explainAll = (root) => root.querySelectorAll("[data-field]").forEach(explain);

    const add = () => {
      const number = Number(total.value);
      const holder = document.createElement("div");
      holder.innerHTML = template.innerHTML.replaceAll("__prefix__", String(number));
      const row = holder.firstElementChild;
      rows.append(row);
      total.value = String(number + 1);
      row.querySelector("input").focus();
    };

    document.getElementById("rule-add").addEventListener("click", add);
    editor.addEventListener("input", (event) => explain(event.target));
    editor.addEventListener("click", (event) => {
      const row = event.target.closest("[data-rule]");
      if (!row) return;
      if (event.target.closest("[data-remove-rule]")) {
        row.querySelector('[name$="-DELETE"]').checked = true;
        row.classList.add("sy-gone");
      } else if (event.target.closest("[data-more]")) {
        const body = row.querySelector("[data-more-body]");
        body.hidden = !body.hidden;
        event.target.closest("[data-more]").setAttribute("aria-expanded", String(!body.hidden));
      } else if (event.target.closest("[data-add-step]")) {
        const next = row.querySelector(".sy-step[hidden]");
        if (next) {
          const select = next.querySelector("select");
          if (select.options.length === 1) select.append(document.getElementById("step-options").content.cloneNode(true));
          next.hidden = false;
        }
        if (!row.querySelector(".sy-step[hidden]")) event.target.closest("[data-add-step]").hidden = true;
      }
    });
    document.getElementById("rule-find").addEventListener("input", (event) => {
      const wanted = event.target.value.trim().toLowerCase();
      rows.querySelectorAll("[data-rule]").forEach((row) => {
        const text = [...row.querySelectorAll("[data-field]")].map((input) => `${input.value} ${words[input.dataset.field].get(input.value) || ""}`).join(" ");
        row.hidden = wanted !== "" && !text.toLowerCase().includes(wanted);
      });
    });
    let changed = false;
    editor.addEventListener("change", () => { changed = true; });
    editor.addEventListener("submit", () => { changed = false; });
    window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
    explainAll(editor);
  };

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
