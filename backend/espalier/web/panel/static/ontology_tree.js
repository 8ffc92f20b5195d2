// The tree of questions and options, by the WAI-ARIA pattern: one stop for Tab, arrows inside. Branches are made as they open.

import { h } from "./dom.js";
import { path, several, where } from "./ontology_words.js";

const OPEN = 40; // options that are shown at once; more are a press away
const AT_ONCE = 200;

export class Tree {
  /** chosen(classification name, option path or null): somebody selected a node. */
  constructor(place, { ontology, counts, chosen }) {
    Object.assign(this, { chosen, counts });
    this.byName = new Map(ontology.classifications.map((one) => [one.name, one]));
    this.placed = new Map(); // classification -> its item
    this.root = h("ul.tree", { role: "tree", "aria-label": "Questions and their options" });
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.root.addEventListener("click", (event) => this.press(event));
    this.shared = this.parents();
    this.root.append(...ontology.roots.map((name) => this.question(this.byName.get(name))));
    place.replaceChildren(this.root);
    const first = this.root.querySelector("[role=treeitem]");
    if (first) first.tabIndex = 0;
  }

  /** By classification, its first parent and the option that opens it, where that is one alone: there it stands. */
  parents() {
    const found = new Map();
    for (const parent of this.byName.values()) {
      for (const child of parent.children) {
        if (found.has(child)) continue;
        const conditions = this.byName.get(child).conditions.filter((one) => one.classifications.includes(parent.name));
        const [only] = conditions, opens = conditions.length === 1 && !only.negated && only.classifications.length === 1 && only.options?.length === 1;
        found.set(child, { parent: parent.name, option: opens && parent.options.some((one) => path(one.option) === path(only.options[0])) ? path(only.options[0]) : null });
      }
    }
    return found;
  }

  under(parent, option) {
    return [...this.shared].filter(([, at]) => at.parent === parent && at.option === option).map(([name]) => this.byName.get(name));
  }

  item(words, { name, option = null, children, open = false, when = "" }) {
    const fold = h("span.fold", { "aria-hidden": "true" }, children ? (open ? "▾" : "▸") : "");
    const item = h("li", { role: "treeitem", tabIndex: -1, "aria-selected": "false", dataset: { name, ...(option ? { option: JSON.stringify(option) } : {}) } },
      h("div.node", {}, fold, words, when ? h("span.when", {}, when) : null));
    item.setAttribute("aria-label", [...item.firstElementChild.children].filter((one) => one !== fold).map((one) => one.textContent).filter(Boolean).join(", "));
    if (children) {
      item.made = children;
      item.setAttribute("aria-expanded", "false");
      if (open) this.open(item, true);
    }
    return item;
  }

  question(classification) {
    const { name, options, options_from: from } = classification, inner = this.under(name, null);
    const words = [h("span.name.question", {}, name), from ? h("span.count", {}, `options from ${from}`) : null];
    const item = this.item(words, {
      name, open: options.length <= OPEN, when: where(classification),
      children: options.length + inner.length ? () => [...this.options(classification, []), ...inner.map((one) => this.question(one))] : null,
    });
    this.placed.set(name, item);
    return item;
  }

  options(classification, above) {
    const deep = above.length, level = classification.options.filter(({ option }) => option.length === deep + 1 && path(option.slice(0, deep)) === path(above));
    const made = (some) => some.map((one) => this.option(classification, one));
    if (level.length <= AT_ONCE) return made(level);
    const rest = level.slice(AT_ONCE);
    const more = this.item([h("span.name", {}, `${rest.length} more options`)], { name: classification.name });
    more.more = () => more.replaceWith(...made(rest));
    return [...made(level.slice(0, AT_ONCE)), more];
  }

  option(classification, { option, color }) {
    const { name } = classification, tasks = this.counts.get(name)?.get(path(option)) ?? 0;
    const below = classification.options.some((one) => one.option.length === option.length + 1 && path(one.option.slice(0, option.length)) === path(option));
    const opens = this.under(name, path(option));
    const swatch = color && CSS.supports("color", color) ? h("span.swatch", { "aria-hidden": "true", style: { background: color } }) : null;
    const words = [swatch, h("span.name", {}, option.at(-1)), tasks ? h("span.count", { title: "Tasks that people gave it to" }, several(tasks, "task")) : h("span.badge.warn.count", {}, "no example yet")];
    return this.item(words, {
      name, option, open: opens.length > 0 && classification.options.length <= OPEN,
      children: below || opens.length ? () => [...this.options(classification, option), ...opens.map((one) => this.question(one))] : null,
    });
  }

  open(item, yes) {
    if (!item.made) return;
    if (yes && !item.lastElementChild.matches("ul")) item.append(h("ul", { role: "group" }, item.made()));
    item.setAttribute("aria-expanded", String(yes));
    item.querySelector(".fold").textContent = yes ? "▾" : "▸";
    const group = item.lastElementChild;
    if (group.matches("ul")) group.hidden = !yes;
  }

  /** This node, and none beside it. */
  select(item) {
    if (item.more) return item.more();
    for (const other of this.root.querySelectorAll("[aria-selected=true]")) other.setAttribute("aria-selected", "false");
    item.setAttribute("aria-selected", "true");
    this.chosen(item.dataset.name, item.dataset.option ? JSON.parse(item.dataset.option) : null);
  }

  /** Selects a classification by name, wherever it stands. */
  show(name) {
    if (!this.placed.has(name)) { // below something that is folded
      const at = this.shared.get(name);
      if (!at) return;
      this.show(at.parent);
      this.unfold(this.placed.get(at.parent), name);
    }
    const item = this.placed.get(name);
    if (!item) return;
    this.focus(item, false);
    this.select(item);
  }

  unfold(item, wanted) {
    if (!item || this.placed.has(wanted)) return;
    this.open(item, true);
    for (const child of item.lastElementChild.querySelectorAll?.(":scope > [role=treeitem]") ?? []) if (child.made) this.unfold(child, wanted);
  }

  visible() {
    return [...this.root.querySelectorAll("[role=treeitem]")].filter((item) => !item.parentElement.closest("ul[hidden]"));
  }

  focus(item, move = true) {
    for (const other of this.root.querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
    item.tabIndex = 0;
    if (move) item.focus();
  }

  press(event) {
    const item = event.target.closest("[role=treeitem]");
    if (!item || !event.target.closest(".node")) return;
    if (event.target.matches(".fold") && item.made) return this.open(item, item.getAttribute("aria-expanded") !== "true");
    this.focus(item);
    this.select(item);
  }

  key(event) {
    const item = event.target.closest("[role=treeitem]");
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = this.visible(), at = all.indexOf(item), isOpen = item.getAttribute("aria-expanded") === "true";
    const steps = {
      ArrowDown: () => all[at + 1], ArrowUp: () => all[at - 1], Home: () => all[0], End: () => all.at(-1),
      ArrowRight: () => (item.made && !isOpen ? (this.open(item, true), item) : isOpen ? all[at + 1] : null),
      ArrowLeft: () => (isOpen ? (this.open(item, false), item) : item.parentElement.closest("[role=treeitem]")),
      Enter: () => (this.select(item), null), " ": () => (this.select(item), null),
    };
    if (!steps[event.key]) return;
    event.preventDefault();
    const found = steps[event.key]();
    if (found) this.focus(found);
  }
}
