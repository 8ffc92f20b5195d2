// Hits in a grid that is drawn where it is looked at: selected by click and shift, walked by keys, scenes opened.

import { h } from "./dom.js";
import { Grid } from "./pictures.js";
import { cell } from "./similarity_frame.js";

export class Hits {
  /** `on`: what can be done with a hit, as in `cell`. `extra(hit)`: more for a cell, such as a note. */
  constructor(place, { chosen, url, on = {}, extra = () => ({}) }) {
    Object.assign(this, { place, chosen, url, on, extra, rows: [], open: new Set(), current: -1, anchor: -1 });
    this.grid = new Grid(place, { width: 150, height: 212, draw: (index) => this.#draw(index) });
    chosen.addEventListener("change", () => {
      for (const item of this.grid.list.children) {
        const is = chosen.has(Number(item.dataset.id));
        item.classList.toggle("picked", is);
        item.querySelector(".pick").setAttribute("aria-pressed", String(is));
      }
    });
  }

  show(hits) {
    this.rows = hits;
    this.open.clear();
    this.current = this.anchor = -1;
    return this.grid.show(hits.length);
  }

  #draw(index) {
    const hit = this.rows[index];
    const isOpen = this.open.has(hit.id);
    return cell(hit, {
      url: this.url, isPicked: this.chosen.has(hit.id), isCurrent: index === this.current, isOpen, score: hit.score, ...this.extra(hit),
      on: { ...this.on, pick: (event) => this.#pick(index, event), scene: () => this.#scene(hit) },
    });
  }

  #pick(index, event) {
    this.#mark(index);
    if (event.shiftKey && this.anchor >= 0) {
      const [low, high] = [Math.min(index, this.anchor), Math.max(index, this.anchor)];
      this.chosen.set(this.rows.slice(low, high + 1));
    } else {
      this.chosen.toggle(this.rows[index]);
      this.anchor = index;
    }
  }

  #mark(index) {
    const before = this.current;
    this.current = index;
    for (const [at, is] of [[before, false], [index, true]]) this.grid.list.querySelector(`[data-index="${at}"]`)?.classList.toggle("current", is);
  }

  /** The other hits of its scene come after it, or go. */
  #scene(hit) {
    const at = this.rows.indexOf(hit), others = hit.scene.others;
    if (this.open.delete(hit.id)) this.rows = this.rows.filter((row) => row.within !== hit.id);
    else {
      this.open.add(hit.id);
      const pace_s = hit.frame > 1 ? hit.time_s / (hit.frame - 1) : 0;
      const more = others.map((one) => ({ ...hit, ...one, scene: null, labels: [], within: hit.id, time_s: pace_s ? (one.frame - 1) * pace_s : null }));
      this.rows = [...this.rows.slice(0, at + 1), ...more, ...this.rows.slice(at + 1)];
    }
    return this.grid.show(this.rows.length);
  }

  get hit() {
    return this.rows[this.current] ?? null;
  }

  move(right, down) {
    if (!this.rows.length) return;
    const step = right + down * this.grid.columns;
    this.#mark(this.current < 0 ? 0 : Math.max(0, Math.min(this.rows.length - 1, this.current + step)));
    this.grid.reveal(this.current);
  }

  toggle() {
    if (this.hit) this.#pick(this.current, {});
  }

  all() {
    this.chosen.set(this.rows);
  }

  /** One goes from what is shown. */
  drop(hit) {
    this.rows = this.rows.filter((row) => row !== hit && row.within !== hit.id);
    const at = Math.min(this.current, this.rows.length - 1);
    this.current = -1;
    return this.grid.show(this.rows.length).then(() => at >= 0 && (this.#mark(at), this.grid.reveal(at)));
  }
}

/** "Select all", "select none", and what stands before them. */
export function bar(view, ...words) {
  return h("div.row.between", {}, h("p.quiet", {}, words), h("div.row", {},
    view.all ? h("button", { type: "button", onclick: () => view.all() }, "Select all") : null,
    h("button", { type: "button", onclick: () => view.chosen.clear() }, "Select none")));
}
