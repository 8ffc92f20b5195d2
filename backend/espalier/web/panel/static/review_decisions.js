// What was decided about predictions, kept in this browser until it is written: a reload or a closed tab loses nothing.

/** A place of a task, as a key. */
export function keyOf(row) {
  return [row.task, row.tag, row.first ?? "", row.last ?? ""].join("|");
}

export class Decisions {
  /** name: of the predictions, such as "3/espalier-v1-run2". */
  constructor(name) {
    this.name = `espalier-review/${name}`;
    this.past = [];
    this.kept = new Map();
    try {
      this.kept = new Map(JSON.parse(localStorage.getItem(this.name) ?? "[]"));
    } catch { /* what cannot be read was not ours */ }
  }

  get(row) {
    return this.kept.get(keyOf(row));
  }

  get size() {
    return this.kept.size;
  }

  /** One decision about many places; taken back together. `said`: {approve: true}, {reject: true} or {answers: [...]}. */
  decide(rows, said) {
    const before = [];
    for (const row of rows) {
      const key = keyOf(row);
      before.push([key, this.kept.get(key)]);
      const { task, tag, first, last, seen } = row;
      this.kept.set(key, { task, tag, first, last, seen, ...said });
    }
    this.past.push(before);
    this.keep();
  }

  /** The last decision is taken back; which places it was about. */
  back() {
    const before = this.past.pop() ?? [];
    for (const [key, was] of before) {
      if (was) this.kept.set(key, was);
      else this.kept.delete(key);
    }
    this.keep();
    return before.map(([key]) => key);
  }

  count() {
    const found = { approved: 0, corrected: 0, rejected: 0 };
    for (const one of this.kept.values()) found[nameOf(one)]++;
    return found;
  }

  /** As the REST API takes them. */
  toJson() {
    return [...this.kept.values()].map(({ first, last, ...one }) => (first === null || first === undefined ? one : { ...one, first, last }));
  }

  /** These were written. */
  forget(decisions) {
    for (const one of decisions) this.kept.delete(keyOf(one));
    this.past = [];
    this.keep();
  }

  keep() {
    try {
      if (this.kept.size) localStorage.setItem(this.name, JSON.stringify([...this.kept]));
      else localStorage.removeItem(this.name);
    } catch { /* more than the browser keeps: then it is kept until the page is left */ }
  }
}

export function nameOf(decision) {
  return decision.approve ? "approved" : decision.reject ? "rejected" : "corrected";
}
