// Which classifications, and how sure an answer must be: for all, for one, for one option; with what that would do.

import { at, fill, h, percent } from "./dom.js";

const FEW_FRAMES = 100, FEW_MEDIA = 10;

/** Near 1, where many scores are, a thousandth counts. */
const spelled = (cutoff) => cutoff.toFixed(cutoff > 0.99 && cutoff < 1 ? 3 : 2);

/** "about 640 of 900 frames, about 97 % of the answers right" */
function words({ frames, labeled, answers, right, multiple }) {
  if (!frames) return "";
  if (!answers) return `answers none of ${frames} frames`;
  const count = multiple && labeled === null ? `about ${answers} answers on ${frames} frames` : `about ${labeled ?? answers} of ${frames} frames`;
  return `${count}, about ${percent(right / answers)} right`;
}

/** cutoffs: ascending, those that were counted; the next one counts for what lies between two. */
function at_step(counts, cutoff, cutoffs) {
  const step = Math.max(0, cutoffs.findIndex((one) => one >= cutoff - 1e-9));
  return { frames: counts.frames, labeled: counts.labeled[step], answers: counts.answers[step], right: counts.right[step] };
}

/** One cutoff: a slider that says what it would do; null where nobody chose one. */
class Cutoff {
  constructor(name, { value = null, box = null, rest, told }) {
    this.value = value;
    this.rest = rest; // what holds where none is chosen: {at, words}
    this.slider = h("input", { type: "range", min: "0", max: "1", step: "0.01", "aria-label": `Cutoff: ${name}` });
    this.number = h("span");
    this.back = h("button.plain", { type: "button", "aria-label": `Choose no cutoff for ${name}`, title: "Choose none here" }, "×");
    this.words = h("span");
    this.meter = h("progress.meter", { max: 1, "aria-hidden": "true" });
    this.slider.addEventListener("input", () => this.choose(Number(this.slider.value), told));
    this.back.addEventListener("click", () => this.choose(null, told));
    const label = box ? h("label.name", {}, box, name) : h("span.name", {}, name);
    this.element = h("div.cutoff", {}, label, h("span.value", {}, this.number, this.back), this.slider, h("div.does", {}, this.meter, this.words));
  }

  choose(value, told) {
    this.value = value;
    told();
  }

  show(counts, said) {
    const rest = this.rest();
    this.slider.value = this.value ?? rest.at;
    this.number.textContent = this.value === null ? rest.words : spelled(this.value);
    this.back.hidden = this.value === null;
    const share = counts?.frames ? (counts.labeled ?? counts.answers) / counts.frames : 0;
    this.meter.hidden = !counts?.frames;
    this.meter.value = Math.min(1, share);
    this.words.textContent = said;
    this.slider.setAttribute("aria-valuetext", `${this.number.textContent}: ${said}`);
  }
}

export class Cutoffs {
  /** `told()` is called whenever something was chosen. */
  constructor(told) {
    this.told = told;
    this.rows = new Map();
    this.global = null;
  }

  /** ontology: the project's; table: coverage-by-cutoff, or null where it is not known; promises: coverage; reasons: by
   * classification, why it was not learned. What was chosen before is kept. */
  show(ontology, table, promises, reasons) {
    const kept = this.value, off = new Set([...this.rows.values()].filter((row) => !row.box.checked).map((row) => row.name));
    Object.assign(this, { table, reasons });
    const change = () => {
      this.follow();
      this.told();
    };
    this.global = new Cutoff("For everything", {
      value: kept.confidence, told: change, rest: () => ({ at: 0.5, words: "the version's own" }),
    });
    fill(at("global"), this.global.element);
    this.rows.clear();
    const named = new Map(ontology.classifications.map((one) => [one.name, one])), drawn = new Set();
    const branch = (name) => {
      const one = named.get(name);
      if (!one || drawn.has(name)) return null;
      drawn.add(name);
      const row = this.row(one, kept.confidences, off.has(name), change);
      const below = one.children.map(branch).filter(Boolean);
      return h("li", {}, row.cutoff.element, row.options.length ? row.details : null, below.length ? h("ul", {}, below) : null);
    };
    fill(at("tree"), ontology.roots.map(branch));
    this.promise(promises);
    this.follow();
  }

  row(one, kept, off, told) {
    const box = h("input", { type: "checkbox", checked: !off, onchange: told });
    const counts = this.table?.classifications.find((each) => each.classification === one.name);
    const row = { name: one.name, box, counts, options: [] };
    row.cutoff = new Cutoff(one.name, {
      value: kept[one.name] ?? null, box, told,
      rest: () => (this.global.value !== null ? { at: this.global.value, words: spelled(this.global.value) } : own(counts?.options ?? [])),
    });
    for (const option of counts?.options ?? []) {
      const key = `${one.name}/${option.option.join(" / ")}`;
      const cutoff = new Cutoff(option.option.join(" / "), {
        value: kept[key] ?? null, told,
        rest: () => {
          const above = row.cutoff.value ?? this.global.value ?? option.cutoff;
          return { at: above, words: spelled(above) };
        },
      });
      row.options.push({ key, cutoff, counts: option });
    }
    row.details = h("details", { open: row.options.some((option) => option.cutoff.value !== null) },
      h("summary", {}, `cutoffs of its ${row.options.length} options`), row.options.map((option) => option.cutoff.element));
    this.rows.set(one.name, row);
    return row;
  }

  /** A cutoff for each promise that the measurements bear out. */
  promise(promises) {
    const lines = (promises?.global ?? []).map((one) => h("tr", {},
      h("td", {}, `${percent(one.target)} right`),
      one.reached
        ? [h("td.number", {}, spelled(one.cutoff)), h("td.number", {}, `${percent(one.coverage)} of the frames`),
          h("td.number", {}, h("button", { type: "button", "aria-label": `Use the cutoff for ${percent(one.target)} right`, title: one.sentence, onclick: () => this.global.choose(Math.ceil(one.cutoff * 1000) / 1000, () => { this.follow(); this.told(); }) }, "Use"))]
        : h("td.quiet.small", { colspan: "3" }, one.sentence)));
    if (promises?.global.length && promises.global.every((one) => !one.reached)) {
      fill(at("promises"), h("p.quiet.small", {}, "No cutoff can promise how often it is right yet: too few answers of people to bear one out."));
    } else fill(at("promises"), lines.length ? h("table", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Promise"), h("th.number", { scope: "col" }, "Cutoff"), h("th.number", { scope: "col" }, "Labeled"), h("th", {}, h("span.off-screen", {}, "Use it")))),
      h("tbody", {}, lines)) : null);
  }

  /** All words and bars, as things are chosen now. */
  follow() {
    let frames = 0, answers = 0, right = 0;
    for (const row of this.rows.values()) {
      const chosen = row.cutoff.value ?? this.global.value;
      for (const option of row.options) {
        const cutoff = option.cutoff.value ?? chosen;
        option.now = cutoff === null ? option.counts.in_force : at_step(option.counts, cutoff, this.table.cutoffs);
        const found = { frames: option.counts.frames, labeled: null, answers: option.now.answers, right: option.now.right };
        option.cutoff.show({ ...found, labeled: found.right }, found.answers
          ? `about ${found.right} of its ${found.frames} frames found, about ${percent(found.right / found.answers)} of what is called so is right` : `finds none of its ${found.frames} frames`);
      }
      const apart = chosen === null || row.options.some((option) => option.cutoff.value !== null);
      const counts = row.counts;
      const sum = (name) => row.options.reduce((total, option) => total + option.now[name], 0);
      const now = !counts ? null : apart
        ? { frames: counts.frames, labeled: null, answers: sum("answers"), right: sum("right"), multiple: counts.multiple }
        : at_step(counts, chosen, this.table.cutoffs);
      row.cutoff.show(now, now?.frames ? words(now) : this.reasons[row.name] ?? "");
      row.cutoff.element.classList.toggle("off", !row.box.checked);
      if (!row.box.checked || !now) continue;
      frames += now.frames;
      answers += now.answers;
      right += now.right;
    }
    const few = [...this.rows.values()].filter((row) => row.box.checked && row.counts?.frames && (row.counts.frames < FEW_FRAMES || row.counts.media < FEW_MEDIA));
    this.global.show(frames ? { frames, labeled: answers } : null, frames
      ? `${this.global.value === null ? "at the version's own cutoffs" : "at this cutoff"} ${words({ frames, labeled: answers, answers, right })}${this.rows.size > 1 ? "; a frame counts once for each question" : ""}` : "");
    this.warn(few.map((row) => `${row.name}: ${row.counts.frames} frames of ${row.counts.media} media`));
  }

  /** How far the figures can be trusted. few: what was judged on little. */
  warn(few) {
    fill(at("caveats"),
      few.length ? h("p.note.warn.small", {}, `Take these figures as a rough guess: they were counted on few labeled frames (${few.join("; ")}).`) : null,
      frames_known(this.table) ? h("details", {}, h("summary", {}, "How far to trust these figures"),
        h("p.small", {}, "They were counted on frames that people have labeled and the model had not seen. Frames unlike these may do worse: what is withheld under Advanced measures it."),
        this.notes?.length ? h("ul.small", {}, this.notes.map((line) => h("li", {}, line))) : null) : null);
  }

  get value() {
    const confidences = {}, rows = [...this.rows.values()];
    for (const row of rows) {
      if (row.cutoff.value !== null) confidences[row.name] = row.cutoff.value;
      for (const option of row.options) if (option.cutoff.value !== null) confidences[option.key] = option.cutoff.value;
    }
    const chosen = rows.filter((row) => row.box.checked).map((row) => row.name);
    return { confidence: this.global?.value ?? null, confidences, classifications: chosen.length === rows.length ? null : chosen };
  }
}

function frames_known(table) {
  return table?.classifications.some((one) => one.frames);
}

function own(options) {
  const cutoffs = options.map((option) => option.cutoff);
  if (!cutoffs.length) return { at: 0.5, words: "its own" };
  const low = Math.min(...cutoffs), high = Math.max(...cutoffs);
  return { at: (low + high) / 2, words: spelled(low) === spelled(high) ? `own: ${spelled(low)}` : `own: ${spelled(low)}–${spelled(high)}` };
}
