// Conditions on the frames that may be found. They are part of what is asked, and stand in the page's address.

import { at, fill, h, rested } from "./dom.js";
import { choices, inOrder } from "./similarity_options.js";

const NUMBERS = ["min_confidence", "max_confidence", "first", "last", "from_s", "to_s"];
export const NAMES = ["label", "predicted", "unlabeled", "tasks", "media", ...NUMBERS];

function field(label, ...inputs) {
  return h("div.field", {}, h("span.label", {}, label), h("div.row.tight", {}, inputs));
}

function number(name, words, more) {
  return h("input", { type: "number", name, "aria-label": words, placeholder: more.placeholder, min: String(more.min ?? 0), max: more.max ?? null, step: String(more.step ?? 1) });
}

/** "3, 5-9" as numbers. */
function tasksIn(text) {
  const found = new Set();
  for (const part of text.split(/[\s,;]+/).filter(Boolean)) {
    const [first, last = first] = part.split("-").map(Number);
    if (!Number.isInteger(first) || !Number.isInteger(last) || last - first > 100000) throw new Error(`${part} is no task: write ids, such as 12, 15-20`);
    for (let id = first; id <= last; id++) found.add(id);
  }
  return [...found];
}

export class Filters {
  /** `changed()` is called a moment after one changes. */
  constructor(ontology, asked, changed) {
    this.form = at("filters");
    const all = inOrder(ontology), kinds = [...new Set(ontology.media.map((one) => one.kind))];
    const select = (name, words, options) => h("select", { name, "aria-label": words }, options);
    const hasFrames = kinds.some((kind) => kind !== "image");
    fill(this.form,
      field("People answered", select("label", "People answered", choices(all, { empty: "anything or nothing", any: true })),
        select("unlabeled", "Answered at all", [["", "answered or not"], ["true", "not answered yet"], ["false", "answered"]].map(([value, words]) => h("option", { value }, words)))),
      field("Predicted", select("predicted", "Predicted", choices(all, { empty: "anything", any: true })),
        number("min_confidence", "Confidence from", { placeholder: "from 0", max: "1", step: 0.01 }), number("max_confidence", "Confidence to", { placeholder: "to 1", max: "1", step: 0.01 })),
      field("Tasks", h("input.wide", { name: "tasks", "aria-label": "Tasks", placeholder: "all; or ids such as 12, 15-20" })),
      kinds.length > 1 ? field("Kind", select("media", "Kind of media", [h("option", { value: "" }, "all"), ...kinds.map((kind) => h("option", { value: kind }, kind))])) : null,
      hasFrames ? field("Frames", number("first", "First frame", { placeholder: "first", min: 1 }), number("last", "Last frame", { placeholder: "last", min: 1 })) : null,
      kinds.includes("video") ? field("Seconds", number("from_s", "From second", { placeholder: "from", step: 0.1 }), number("to_s", "To second", { placeholder: "to", step: 0.1 })) : null,
      h("div", {}, h("button", { type: "reset" }, "Clear")));
    for (const name of NAMES) if (asked.get(name) && this.form.elements[name]) this.form.elements[name].value = asked.get(name);
    const soon = rested(changed, 350);
    this.form.addEventListener("input", soon);
    this.form.addEventListener("reset", () => setTimeout(changed));
    this.form.addEventListener("submit", (event) => event.preventDefault());
  }

  /** As the API takes them; undefined where there are none. Throws an Error in words. */
  get conditions() {
    const values = this.values, found = {};
    for (const [name, value] of Object.entries(values)) {
      if (NUMBERS.includes(name)) found[name] = Number(value);
      else if (name === "label" || name === "predicted") found[name] = JSON.parse(value);
      else if (name === "unlabeled") found[name] = value === "true";
      else found[name] = name === "tasks" ? tasksIn(value) : [value];
    }
    const count = Object.keys(found).length;
    at("filters-count").textContent = count ? `${count} ${count === 1 ? "condition" : "conditions"}` : "all of them";
    return count ? found : undefined;
  }

  /** By name, as text, those that are given. */
  get values() {
    return Object.fromEntries(NAMES.map((name) => [name, this.form.elements[name]?.value ?? ""]).filter(([, value]) => value !== ""));
  }
}
