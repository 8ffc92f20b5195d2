// Groups of frames, as cards one below the other: some at a time, walked and decided by keys.

import { fill, h } from "./dom.js";
import { busy } from "./notices.js";
import { cell } from "./similarity_frame.js";

const AT_ONCE = 15, SHOWN = 8;

export class Groups {
  /** A group: {key, title, about, hits, size, members() or null, acts: [buttons]}. `reject(group)` takes one off. */
  constructor(place, { chosen, url, on = {}, reject }) {
    Object.assign(this, { place, chosen, url, on, reject, groups: [], cards: new Map(), current: -1, within: 0 });
    this.list = h("ol.groups");
    this.end = h("div", { "aria-hidden": "true" });
    fill(place, this.list, this.end);
    new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && this.#more(), { rootMargin: "600px" }).observe(this.end);
    chosen.addEventListener("change", () => {
      for (const item of this.list.querySelectorAll("[data-id]")) {
        const is = chosen.has(Number(item.dataset.id));
        item.classList.toggle("picked", is);
        item.querySelector(".pick").setAttribute("aria-pressed", String(is));
      }
    });
  }

  show(groups) {
    Object.assign(this, { groups, current: -1, within: 0 });
    this.cards.clear();
    this.list.replaceChildren();
    this.#more();
  }

  #more() {
    const from = this.list.childElementCount;
    this.list.append(...this.groups.slice(from, from + AT_ONCE).map((group) => this.#card(group)));
    // Still in sight: the observer says nothing again.
    if (from + AT_ONCE < this.groups.length && this.end.getBoundingClientRect().top < innerHeight) requestAnimationFrame(() => this.#more());
  }

  #card(group) {
    const pictures = h("ul.pictures.fixed");
    const draw = (hits) => fill(pictures, hits.map((hit) => cell(hit, {
      url: this.url, score: hit.score, isPicked: this.chosen.has(hit.id), on: { ...this.on, pick: () => this.chosen.toggle(hit), scene: null },
    })));
    draw(group.hits.slice(0, SHOWN));
    const size = group.size ?? group.hits.length;
    const rest = size > SHOWN ? h("button", { type: "button", onclick: busy(async () => {
      draw(group.members ? await group.members() : group.hits);
      rest.remove();
    }) }, `Show all ${size}`) : null;
    const select = h("button", { type: "button", title: "Keep (k)", onclick: busy(() => this.keep(group)) }, `Select all ${size}`);
    const off = h("button", { type: "button", title: "Reject (x)", onclick: () => this.reject(group) }, "Set aside");
    const card = h("li.card.stack", { tabindex: "-1" },
      h("div.title", {}, h("h3", {}, group.title, " ", group.badges ?? null), h("div.row", {}, select, group.acts ?? null, off)),
      group.about ? h("p.quiet.small", {}, group.about) : null, pictures, rest);
    this.cards.set(group, card);
    return card;
  }

  /** Every frame of it is selected, those that are not shown, too. */
  async keep(group = this.group) {
    if (group) this.chosen.set(group.members ? await group.members() : group.hits);
  }

  drop(group = this.group) {
    if (!group) return;
    const at = this.groups.indexOf(group);
    this.groups = this.groups.filter((one) => one !== group);
    this.cards.get(group)?.remove();
    this.cards.delete(group);
    this.current = Math.min(at, this.groups.length - 1);
    this.#mark();
    this.#more();
  }

  get group() {
    return this.groups[this.current] ?? null;
  }

  get hit() {
    return this.group?.hits[this.within] ?? null;
  }

  move(right, down) {
    if (!this.groups.length) return;
    this.current = this.current < 0 ? 0 : Math.max(0, Math.min(this.groups.length - 1, this.current + down));
    while (!this.cards.has(this.group) && this.list.childElementCount < this.groups.length) this.#more();
    this.within = down ? 0 : Math.max(0, Math.min(this.group.hits.length - 1, this.within + right));
    this.#mark();
  }

  #mark() {
    for (const one of this.list.querySelectorAll(".current")) one.classList.remove("current");
    const card = this.cards.get(this.group);
    if (!card) return;
    card.classList.add("current");
    card.querySelectorAll(".hit")[this.within]?.classList.add("current");
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  }

  toggle() {
    if (this.hit) this.chosen.toggle(this.hit);
  }
}
