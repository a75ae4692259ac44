// The draft editor: fields are picked from lists with examples, rows come and go, and each row says at once what is wrong or doubtful.
(() => {
  "use strict";

  const LONGEST_LIST = 80;
  const PAUSE = 350; // milliseconds without typing before a row is checked

  const element = (tag, className, text) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text) node.textContent = text;
    return node;
  };

  // A list of fields under an input: grouped, searchable, for mouse and keyboard.
  const picker = (editor, fields) => {
    const box = element("div", "sy-picker");
    box.id = "rule-picker";
    box.setAttribute("role", "listbox");
    box.setAttribute("aria-label", "Fields");
    box.hidden = true;
    editor.append(box);
    let input = null;
    let options = [];
    let at = -1;
    let untouched = true;

    const listFor = (kind) => (kind === "source" ? fields.source : fields.target);

    const taken = () => new Set([...editor.querySelectorAll('[data-rule]:not(.sy-gone) [data-field="target"]')].filter((one) => one !== input).map((one) => one.value));

    const matches = (field, words) => {
      const text = `${field.path} ${field.label} ${field.group} ${field.example}`.toLowerCase();
      return words.every((word) => text.includes(word));
    };

    const optionOf = (field, number, filled) => {
      const option = element("div", "sy-option");
      option.id = `rule-option-${number}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.path = field.path;
      const words = element("span", "sy-option-words");
      words.append(element("strong", "", field.label), element("code", "", field.path));
      const facts = element("span", "sy-option-facts");
      facts.append(element("span", "sy-type", field.type));
      if (field.required) facts.append(element("span", "sy-type sy-needed", "required"));
      if (filled) facts.append(element("span", "sy-type", "filled already"));
      option.append(words, facts);
      if (field.example) option.append(element("samp", "", `e.g. ${field.example}`));
      else if (field.help) option.append(element("small", "", field.help));
      return option;
    };

    const fill = () => {
      const kind = input.dataset.field;
      const words = untouched ? [] : input.value.toLowerCase().split(/\s+/).filter(Boolean);
      const filled = kind === "target" ? taken() : new Set();
      const found = listFor(kind).filter((field) => matches(field, words));
      box.replaceChildren();
      let group = null;
      let holder = box;
      found.slice(0, LONGEST_LIST).forEach((field, number) => {
        if (field.group !== group) {
          group = field.group;
          holder = element("div", "sy-option-group");
          holder.setAttribute("role", "group");
          holder.setAttribute("aria-label", group || "Record");
          holder.append(element("p", "sy-option-title", group || "The record itself"));
          box.append(holder);
        }
        holder.append(optionOf(field, number, filled.has(field.path)));
      });
      if (!found.length) box.append(element("p", "sy-option-title", "No field of that name in the list. What you type is checked."));
      if (found.length > LONGEST_LIST) box.append(element("p", "sy-option-title", `and ${found.length - LONGEST_LIST} more: type to narrow the list`));
      options = [...box.querySelectorAll('[role="option"]')];
      mark(options.findIndex((option) => option.dataset.path === input.value));
    };

    const mark = (number) => {
      options.forEach((option, index) => option.setAttribute("aria-selected", String(index === number)));
      at = number;
      if (number < 0) input.removeAttribute("aria-activedescendant");
      else {
        input.setAttribute("aria-activedescendant", options[number].id);
        const option = options[number];
        box.scrollTop = Math.max(0, Math.min(box.scrollTop, option.offsetTop - 40), option.offsetTop + option.offsetHeight - box.clientHeight);
      }
    };

    const place = () => {
      const rect = input.getBoundingClientRect();
      const around = editor.getBoundingClientRect();
      const width = Math.min(Math.max(rect.width, 380), around.width);
      box.style.width = `${width}px`;
      box.style.left = `${Math.max(0, Math.min(rect.left - around.left, around.width - width))}px`;
      const below = window.innerHeight - rect.bottom;
      const above = below < 260 && rect.top > below;
      box.style.top = above ? "" : `${rect.bottom - around.top + 4}px`;
      box.style.bottom = above ? `${around.bottom - rect.top + 4}px` : "";
    };

    const open = (target) => {
      input = target;
      untouched = true;
      input.setAttribute("aria-expanded", "true");
      box.hidden = false;
      place();
      fill();
    };

    const close = () => {
      if (!input) return;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
      box.hidden = true;
      input = null;
    };

    const choose = (option) => {
      const chosen = input;
      chosen.value = option.dataset.path;
      close();
      chosen.dispatchEvent(new Event("input", { bubbles: true }));
      chosen.dispatchEvent(new Event("change", { bubbles: true }));
    };

    const keys = {
      ArrowDown: () => (input ? mark(Math.min(at + 1, options.length - 1)) : null),
      ArrowUp: () => (input ? mark(Math.max(at - 1, 0)) : null),
      Enter: () => { if (at >= 0) choose(options[at]); else close(); },
      Escape: () => close(),
    };

    const ready = (root) => root.querySelectorAll("input[data-field]").forEach((each) => {
      each.setAttribute("role", "combobox");
      each.setAttribute("aria-autocomplete", "list");
      each.setAttribute("aria-expanded", "false");
      each.setAttribute("aria-controls", box.id);
    });

    editor.addEventListener("focusin", (event) => {
      if (!event.target.matches("input[data-field]")) close();
    });
    editor.addEventListener("mousedown", (event) => {
      const option = event.target.closest('[role="option"]');
      if (option) { event.preventDefault(); choose(option); return; }
      if (event.target.closest(".sy-picker")) { event.preventDefault(); return; }
      if (event.target.matches("input[data-field]")) open(event.target);
    });
    editor.addEventListener("input", (event) => {
      if (!event.target.matches("input[data-field]") || !event.isTrusted) return;
      if (input !== event.target) open(event.target);
      untouched = false;
      fill();
      if (options.length) mark(0);
    });
    editor.addEventListener("keydown", (event) => {
      if (!event.target.matches("input[data-field]")) return;
      if (!input && event.key === "ArrowDown") { event.preventDefault(); open(event.target); return; }
      if (!input || !keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    });
    editor.addEventListener("focusout", (event) => {
      if (event.target === input) close();
    });
    return ready;
  };

  // What the server says of one row as it is typed: errors, doubts, and what it gives for the latest record.
  const checker = (editor) => {
    const timers = new WeakMap();
    const token = editor.querySelector('[name="csrfmiddlewaretoken"]').value;

    const bodyOf = (row) => {
      const body = new FormData();
      row.querySelectorAll("[name]").forEach((node) => {
        if (node.type === "checkbox" && !node.checked) return;
        body.append(node.name.replace(/^rules-[^-]+-/, "rule-"), node.value);
      });
      return body;
    };

    const show = (row, answer) => {
      const lines = [...answer.errors.map((text) => element("p", "sy-error", text)), ...answer.doubts.map((text) => element("p", "sy-doubt", text))];
      row.querySelector("[data-doubts]").replaceChildren(...lines);
      row.classList.toggle("sy-doubtful", lines.length > 0);
      const gives = row.querySelector("[data-gives]");
      gives.querySelector("samp").textContent = answer.gives || "";
      gives.hidden = !answer.gives;
    };

    const ask = async (row) => {
      if (!row.querySelector('[data-field="target"]').value.trim()) return;
      const reply = await fetch(editor.dataset.check, { method: "POST", body: bodyOf(row), headers: { "X-CSRFToken": token }, credentials: "same-origin" });
      if (reply.ok) show(row, await reply.json());
    };

    return (row) => {
      window.clearTimeout(timers.get(row));
      timers.set(row, window.setTimeout(() => { ask(row).catch(() => { row.querySelector("[data-gives]").hidden = true; }); }, PAUSE));
    };
  };

  const start = () => {
    if (location.hash) {
      const named = document.getElementById(location.hash.slice(1));
      if (named && named.matches("details")) named.open = true;
    }
    const editor = document.getElementById("rule-editor");
    if (!editor) return;
    const rows = document.getElementById("rule-rows");
    const total = editor.querySelector('[name="rules-TOTAL_FORMS"]');
    const fields = JSON.parse(document.getElementById("rule-fields").textContent);
    const byPath = {};
    for (const kind of ["target", "source"]) byPath[kind] = new Map(fields[kind].map((field) => [field.path, field]));
    const ready = picker(editor, fields);
    const check = checker(editor);
    const stepOptions = document.getElementById("step-options").content;

    // A row comes with the one option that each step has; the others are the same for all.
    const fillSteps = (root) => root.querySelectorAll("select[data-step]").forEach((select) => {
      const chosen = select.value;
      select.replaceChildren(stepOptions.cloneNode(true));
      select.value = chosen;
      if (select.value !== chosen) select.add(new Option(chosen, chosen, true, true), 0);
    });

    const numberOf = (row) => row.querySelector('[data-field="target"]').name.split("-")[1];

    const made = (id, number) => {
      const holder = document.createElement("div");
      holder.innerHTML = document.getElementById(id).innerHTML.replaceAll("__prefix__", number);
      return holder.firstElementChild;
    };

    // The closed part of a row holds its values as hidden inputs until somebody opens it.
    const unfold = (row, body) => {
      const part = made("rule-more", numberOf(row));
      part.querySelectorAll("[name]").forEach((input) => {
        const kept = body.querySelector(`[name="${input.name}"]`);
        if (input.type === "checkbox") input.checked = Boolean(kept);
        else if (kept) input.value = kept.value;
      });
      body.replaceWith(part);
      ready(part);
      return part;
    };

    ready(editor);
    fillSteps(rows);

    const explain = (input) => {
      const kind = input.dataset.field;
      const place = byPath[kind] && input.closest("[data-rule]").querySelector(`[data-words="${kind}"]`);
      if (!place) return;
      const known = byPath[kind].get(input.value);
      const example = known && kind === "source" && known.example ? ` · e.g. ${known.example}` : "";
      place.textContent = known ? `${known.label} · ${known.type}${example}` : "";
    };

    const missing = () => {
      const note = document.getElementById("missing");
      const filled = new Set([...rows.querySelectorAll('[data-rule]:not(.sy-gone) [data-field="target"]')].map((input) => input.value));
      const wanted = editor.dataset.required.split(" ").filter((path) => path && !filled.has(path));
      note.hidden = !wanted.length;
      note.querySelector("[data-missing]").replaceChildren(...wanted.flatMap((path) => [element("code", "", path), " "]));
    };

    const stepChanged = (select) => {
      const step = fields.steps[select.value];
      const argument = select.closest(".sy-step").querySelector("input");
      argument.hidden = !step || !step.takes;
      argument.placeholder = step ? step.hint : "";
      argument.title = argument.placeholder;
      if (argument.hidden) argument.value = "";
    };

    const add = () => {
      const number = Number(total.value);
      const row = made("rule-template", String(number));
      rows.append(row);
      ready(row);
      total.value = String(number + 1);
      row.scrollIntoView({ block: "center" });
      row.querySelector("input").focus();
    };

    const find = () => {
      const wanted = document.getElementById("rule-find").value.trim().toLowerCase();
      const doubtful = document.getElementById("rule-doubtful").checked;
      rows.querySelectorAll("[data-rule]").forEach((row) => {
        const text = [...row.querySelectorAll("[data-field]"), ...row.querySelectorAll("[data-words]")].map((node) => node.value || node.textContent).join(" ");
        row.hidden = (wanted !== "" && !text.toLowerCase().includes(wanted)) || (doubtful && !row.matches(".sy-doubtful, .sy-wrong"));
      });
      rows.querySelectorAll("[data-group]").forEach((heading) => { heading.hidden = wanted !== "" || doubtful; });
    };

    const opened = {
      "[data-remove-rule]": (row) => {
        row.querySelector('[name$="-DELETE"]').checked = true;
        row.classList.add("sy-gone");
        touched();
        missing();
      },
      "[data-more]": (row, button) => {
        let body = row.querySelector("[data-more-body]");
        const opens = body.hidden;
        if (opens && !body.querySelector("label")) body = unfold(row, body);
        body.hidden = !opens;
        button.setAttribute("aria-expanded", String(opens));
      },
      "[data-add-step]": (row, button) => {
        const taken = [...row.querySelectorAll("select[data-step]")].map((select) => Number(select.name.split("_").pop()));
        const number = Array.from({ length: fields.most_steps }, (_, before) => before + 1).find((one) => !taken.includes(one));
        const step = made("rule-step", numberOf(row));
        const [select, argument] = [step.querySelector("select"), step.querySelector("input")];
        const named = (text) => text.replace(/1$/, String(number));
        [select, argument].forEach((input) => { input.name = named(input.name); });
        select.id = step.querySelector("label").htmlFor = named(select.id);
        step.querySelector("label").textContent = named(step.querySelector("label").textContent);
        argument.setAttribute("aria-label", named(argument.getAttribute("aria-label")));
        fillSteps(step);
        button.before(step);
        select.focus();
        button.hidden = taken.length + 1 >= fields.most_steps;
      },
    };

    let changed = false;
    const touched = () => {
      changed = true;
      document.getElementById("rule-changed").textContent = "Not saved yet.";
    };

    document.getElementById("rule-add").addEventListener("click", add);
    editor.addEventListener("click", (event) => {
      const row = event.target.closest("[data-rule]");
      const name = row && Object.keys(opened).find((selector) => event.target.closest(selector));
      if (name) opened[name](row, event.target.closest(name));
    });
    editor.addEventListener("input", (event) => {
      const row = event.target.closest("[data-rule]");
      if (event.target.matches("#rule-find, #rule-doubtful")) { find(); return; }
      if (!row) return;
      if (event.target.matches("[data-step]")) stepChanged(event.target);
      if (event.target.dataset.field) { explain(event.target); missing(); }
      touched();
      check(row);
    });
    editor.addEventListener("submit", () => { changed = false; });
    window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
  };

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
