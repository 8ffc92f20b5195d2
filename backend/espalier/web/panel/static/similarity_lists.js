// Every frame is looked at for something: a tab for each kind, of which the entries are kept, set aside, or given a class.

import { ofProject } from "./api.js";
import { fill, h } from "./dom.js";
import { answer } from "./job.js";
import { Groups } from "./similarity_groups.js";
import { Hits, bar } from "./similarity_hits.js";
import { KINDS } from "./similarity_kinds.js";
import { frame, latest } from "./similarity_panel.js";

const AT_ONCE = 20000; // frames up to which a list is made without being asked for

/** What the form of a kind says, as the API takes it. */
function asked(form) {
  const body = {};
  for (const { name, value, type } of form.elements) {
    if (!name || value === "") continue;
    body[name] = type === "number" ? Number(value) : name === "normal" ? JSON.parse(value) : value;
    if (name === "share") body.share /= 100;
  }
  return body;
}

/** Which entries of a list this browser was told to set aside. */
class Aside {
  constructor(kind) {
    this.name = `espalier-aside-${document.body.dataset.project}-${kind}`;
    this.keys = new Set(JSON.parse(localStorage.getItem(this.name) ?? "[]"));
  }

  static key(entry) {
    return entry.hits ? entry.hits.slice(0, 8).map((hit) => hit.id).join(".") : String(entry.id);
  }

  add(entry) {
    this.keys.add(Aside.key(entry));
    localStorage.setItem(this.name, JSON.stringify([...this.keys].slice(-5000)));
  }

  without(entries) {
    return entries.filter((entry) => !this.keys.has(Aside.key(entry)));
  }

  clear() {
    this.keys.clear();
    localStorage.removeItem(this.name);
  }
}

/** A tab of a kind. */
export function listPanel(kind, context) {
  const { filters, ontology } = context, known = KINDS[kind], aside = new Aside(kind);
  const head = h("div"), list = h("div"), button = h("button.main", { type: "submit" }, "Look");
  const form = h("form.row", { onsubmit: (event) => {
    event.preventDefault();
    run(true);
  } }, known.fields(ontology), button);
  const panel = frame(h("p.quiet", {}, known.intro), form, head, list);
  panel.append(panel.firstChild); // progress below the form
  panel.insertBefore(panel.lastChild, head);
  let view = null, told = null;
  const reject = (entry) => {
    if (!entry) return;
    aside.add(entry);
    view.drop(entry);
    count();
  };
  const draw = (isFirst) => {
    const entries = told.hits ?? told.groups, left = aside.without(entries);
    if (isFirst || !view) {
      list.replaceChildren();
      view = told.hits ? new Hits(list, { ...context, extra: told.extra }) : new Groups(list, { ...context, reject });
    }
    for (const group of told.groups ?? []) group.acts = known.acts?.(group, context);
    view.show(left);
    count();
  };
  const count = () => {
    const entries = told.hits ?? told.groups, away = entries.length - aside.without(entries).length;
    const again = away ? h("button.plain", { type: "button", onclick: () => {
      aside.clear();
      draw();
    } }, `${away} set aside: show again`) : null;
    fill(head, entries.length ? bar(view, told.words, again) : h("div.empty", {}, h("strong", {}, "Nothing of this kind is here"), told.words, told.note ? h("p.small", {}, told.note) : null));
  };
  const run = latest(panel, async (isLast, progress, byPerson = false) => {
    const frames = await context.frames();
    if (!byPerson && (!frames || frames > AT_ONCE)) return fill(progress, h("p.quiet", {}, "This looks at every frame and may take minutes: press Look."));
    const conditions = filters.conditions, body = { ...asked(form), ...(conditions ? { conditions } : {}) };
    fill(progress, h("p.quiet", {}, "Looking…"));
    const answered = await answer(ofProject(`/${kind}`), body, progress);
    if (!isLast()) return;
    fill(progress);
    told = { note: answered.note, ...known.read(answered, { body, place: progress, ontology }) };
    draw(true);
  });
  return { panel, run, reject, get view() {
    return view;
  } };
}
