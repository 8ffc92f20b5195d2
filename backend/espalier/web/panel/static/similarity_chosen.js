// Which frames are selected, over all tabs; who shows them hears of it.

export class Chosen extends EventTarget {
  #hits = new Map();

  get size() {
    return this.#hits.size;
  }

  get hits() {
    return [...this.#hits.values()];
  }

  has(id) {
    return this.#hits.has(id);
  }

  /** All of these are selected, or none of them is. */
  set(hits, is = true) {
    for (const hit of hits) {
      if (is) this.#hits.set(hit.id, hit);
      else this.#hits.delete(hit.id);
    }
    this.dispatchEvent(new Event("change"));
  }

  toggle(hit) {
    this.set([hit], !this.has(hit.id));
  }

  clear() {
    this.#hits.clear();
    this.dispatchEvent(new Event("change"));
  }
}
