// The predictions as pictures: rows as they come near, which are selected, and what was decided about each.

import { get, ofProject } from "./api.js";
import { h, percent } from "./dom.js";
import { complain } from "./notices.js";
import { Grid, image, taskImage } from "./pictures.js";
import { keyOf, nameOf } from "./review_decisions.js";

const AT_ONCE = 100, WIDTH = 170, HEIGHT = 236;
const LOOKS = { approved: "good", corrected: "warn", rejected: "bad", annotated: "" };

export function sentence(row) {
  return row.answers.map((one) => one.option.join(" / ")).join(" › ");
}

export function where(row) {
  if (row.first === null) return `task ${row.task}`;
  const range = row.first === row.last ? `frame ${row.first}` : `frames ${row.first}–${row.last}`;
  return `task ${row.task}, ${range}${row.seconds ? ` · ${row.seconds.toFixed(1)} s` : ""}`;
}

export function picture(row, size = 240) {
  const words = `${where(row)}: ${sentence(row)}`;
  return row.id !== null ? image(row.id, words, size) : taskImage(row.task, words, { frame: row.frame, tag: row.tag, size });
}

export class Predictions {
  /** changed(): the selection or the current one is another. */
  constructor(place, changed) {
    Object.assign(this, { changed, rows: [], total: 0, current: 0, anchor: 0, selected: new Map(), decisions: null, query: {}, turn: 0 });
    this.grid = new Grid(place, { width: WIDTH, height: HEIGHT, draw: (index) => this.draw(index), load: (from, to) => this.load(from, to) });
    this.list = this.grid.list;
    for (const [name, value] of [["role", "listbox"], ["aria-multiselectable", "true"], ["aria-label", "Predictions"]]) this.list.setAttribute(name, value);
    this.list.addEventListener("click", (event) => {
      const item = event.target.closest("li");
      if (!item) return;
      const index = Number(item.dataset.index);
      if (event.shiftKey) this.range(index);
      else this.go(index, { toggle: event.ctrlKey || event.metaKey || event.target.closest("input") });
    });
  }

  /** Asks anew. Resolves with the answer's first page. */
  async show(query, decisions) {
    const turn = ++this.turn;
    Object.assign(this, { query, decisions, rows: [], pages: new Map(), everything: null, current: 0, anchor: 0 });
    this.selected.clear();
    const first = await this.page(0);
    if (turn !== this.turn) return null;
    this.total = first.total;
    this.grid.place.removeAttribute("aria-busy");
    await this.grid.show(this.total);
    this.changed();
    return first;
  }

  page(number) {
    const rows = this.rows;
    if (!this.pages.has(number)) {
      const asked = get(ofProject("/predictions"), { ...this.query, limit: AT_ONCE, offset: number * AT_ONCE });
      this.pages.set(number, asked);
      asked.then((answer) => answer.items.forEach((row, place) => (rows[number * AT_ONCE + place] = row)), () => this.pages.delete(number));
    }
    return this.pages.get(number);
  }

  async load(from, to) {
    const asked = [];
    for (let number = Math.floor(from / AT_ONCE); number * AT_ONCE < to; number++) asked.push(this.page(number));
    await Promise.all(asked).catch(complain);
  }

  draw(index) {
    const row = this.rows[index];
    if (!row) return h("li.picture", { role: "option", "aria-selected": "false" }, "…");
    const decision = this.decisions?.get(row);
    const state = decision ? nameOf(decision) : row.state;
    const told = decision?.answers ? decision.answers.map((one) => one.option.join(" / ")).join(" › ") : sentence(row);
    const item = h(`li.picture${decision ? ".decided" : ""}`, {
      role: "option", tabindex: index === this.current ? "0" : "-1", "aria-selected": String(this.selected.has(keyOf(row))), dataset: { key: keyOf(row), state },
      title: row.answers.map((one) => `${one.classification}: ${one.option.join(" / ")} ${percent(one.confidence, 1)}`).join("\n"),
    },
    picture(row),
    h("div.caption", {},
      h("span.answer", {}, told),
      h("span", {}, `${percent(row.score, 1)} sure`),
      h("span.quiet", {}, where(row))),
    state === "undecided" ? null : h(`span.badge${LOOKS[state] ? `.${LOOKS[state]}` : ""}`, {}, state === "annotated" ? "annotated" : decision ? `${state}, not written` : state));
    if (index === this.current) item.classList.add("current");
    return item;
  }

  row() {
    return this.rows[this.current];
  }

  /** The current one is now this; focused. */
  async go(index, { toggle = false } = {}) {
    if (!this.total) return;
    const before = this.current;
    this.current = this.anchor = Math.min(Math.max(0, index), this.total - 1);
    this.grid.redraw(before);
    if (toggle) this.toggle();
    this.grid.redraw(this.current);
    await this.grid.reveal(this.current);
    this.changed();
  }

  toggle() {
    const row = this.row();
    if (!row) return;
    if (!this.selected.delete(keyOf(row))) this.selected.set(keyOf(row), row);
    this.grid.redraw(this.current);
    this.changed();
  }

  /** Everything from the anchor to here is selected, also what is not loaded. */
  async range(index) {
    const to = Math.min(Math.max(0, index), this.total - 1), from = this.anchor;
    const places = await this.places(Math.min(from, to), Math.max(from, to) + 1);
    for (const place of places) this.selected.set(keyOf(place), place);
    this.current = to;
    this.redraw();
    await this.grid.reveal(to);
    this.changed();
  }

  async selectAll() {
    for (const place of await this.places(0, this.total)) this.selected.set(keyOf(place), place);
    this.redraw();
    this.changed();
  }

  selectNone() {
    this.selected.clear();
    this.redraw();
    this.changed();
  }

  /** Where predictions are; asked for at once for all where some are not loaded. */
  async places(from, to) {
    const loaded = this.rows.slice(from, to);
    if (loaded.length === to - from && !loaded.includes(undefined)) return loaded;
    const { limit, offset, ...query } = this.query;
    this.everything ??= get(ofProject("/predictions/places"), query).then((answer) =>
      answer.places.map(([task, tag, first, last, seen]) => ({ task, tag, first, last, seen })));
    return (await this.everything).slice(from, to);
  }

  /** What a decision is about: the selected ones, or the current one. */
  meant() {
    if (this.selected.size) return [...this.selected.values()];
    return this.row() ? [this.row()] : [];
  }

  redraw() {
    this.grid.from = -1;
    return this.grid.refresh();
  }
}
