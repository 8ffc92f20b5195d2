// Frames as small pictures: as many as there are, of which only those near the window are there.

import { address, ofProject } from "./api.js";
import { h } from "./dom.js";

/** The address of a frame's thumbnail; sizes are 96, 160, 320 and 640 pixels. */
export function thumbnail(id, size = 160) {
  return address(ofProject(`/thumbnails/${id}`), { size });
}

export function image(id, words, size = 160) {
  return made(thumbnail(id, size), words, size);
}

/** A frame of a task by its number, also where nobody opened the task yet. */
export function taskImage(task, words, { frame = 1, tag = null, size = 160 } = {}) {
  return made(address(ofProject(`/tasks/${task}/thumbnail`), { frame, tag, size }), words, size);
}

function made(src, words, size) {
  let left = 5; // a picture that is not made yet is asked for again
  const onerror = (event) => left-- > 0 && setTimeout(() => (event.target.src = src), 1500);
  return h("img", { src, alt: words, loading: "lazy", decoding: "async", width: size, height: Math.round(0.75 * size), onerror });
}

/** A list of `count` items in `place`, of which a window is drawn: `draw(index)` returns a <li>.
 *
 * `load(first, last)` is called (and awaited) before items that come near are drawn.
 */
export class Grid {
  constructor(place, { width = 150, height = 170, draw, load = async () => {} }) {
    Object.assign(this, { place, width, height, draw, load, count: 0, from: 0, to: 0, turn: 0 });
    this.list = h("ul.pictures", { style: { "--picture": `${width}px` } });
    this.above = h("div", { "aria-hidden": "true" });
    this.below = h("div", { "aria-hidden": "true" });
    place.replaceChildren(this.above, this.list, this.below);
    place.style.overflowAnchor = "none"; // the browser would hold on to an item that is replaced, and scroll elsewhere
    const look = () => requestAnimationFrame(() => this.refresh());
    addEventListener("scroll", look, { passive: true });
    new ResizeObserver(look).observe(place);
  }

  get columns() {
    return Math.max(1, Math.floor((this.place.clientWidth + 10) / (this.width + 10)));
  }

  /** There are now this many, and all are drawn anew. */
  async show(count) {
    this.count = count;
    this.from = this.to = -1;
    await this.refresh();
  }

  /** What stands near the window is drawn; the rest is room. */
  async refresh() {
    const columns = this.columns, row = this.height + 10;
    const rows = Math.ceil(this.count / columns);
    const top = -this.place.getBoundingClientRect().top;
    const first = Math.min(Math.max(0, Math.floor((top - innerHeight) / row)), Math.max(0, rows - 1));
    const last = Math.min(rows, Math.ceil((top + 2 * innerHeight) / row));
    const from = first * columns, to = Math.min(this.count, Math.max(last, first + 1) * columns);
    if (from === this.from && to === this.to && columns === this.drawn) return;
    Object.assign(this, { from, to, drawn: columns });
    const turn = ++this.turn;
    if (to > from) await this.load(from, to);
    if (turn !== this.turn) return; // scrolled on meanwhile
    // Together with the items: with one but not the other the page would be shorter for a while, and jump.
    this.above.style.height = `${first * row}px`;
    this.below.style.height = `${Math.max(0, rows - Math.ceil(to / columns)) * row}px`;
    const focused = this.focused();
    const items = [];
    for (let index = from; index < to; index++) {
      const item = this.draw(index);
      item.dataset.index = index;
      item.style.height = `${this.height}px`;
      items.push(item);
    }
    this.list.replaceChildren(...items);
    this.focus(focused);
  }

  /** Where the focus is, to be put there again when items are drawn anew: on an item, or on what stands in it. */
  focused() {
    const active = document.activeElement, item = this.list.contains(active) ? active.closest("[data-index]") : null;
    return item && { index: item.dataset.index, inner: [...item.querySelectorAll("*")].indexOf(active) };
  }

  focus(focused) {
    const item = focused && this.list.querySelector(`[data-index="${focused.index}"]`);
    if (item) (item.querySelectorAll("*")[focused.inner] ?? item).focus({ preventScroll: true });
  }

  /** One item is drawn anew, if it is there. */
  redraw(index) {
    const old = this.list.querySelector(`[data-index="${index}"]`);
    if (!old) return;
    const item = this.draw(index), focused = this.focused();
    item.dataset.index = index;
    item.style.height = `${this.height}px`;
    old.replaceWith(item);
    this.focus(focused);
  }

  /** The item is scrolled to and focused. */
  async reveal(index) {
    const row = this.height + 10, at = Math.floor(index / this.columns) * row;
    const top = this.place.getBoundingClientRect().top + scrollY + at;
    if (top < scrollY + 80 || top + row > scrollY + innerHeight) scrollTo({ top: top - innerHeight / 3 });
    await this.refresh();
    this.list.querySelector(`[data-index="${index}"]`)?.focus({ preventScroll: true });
  }
}
