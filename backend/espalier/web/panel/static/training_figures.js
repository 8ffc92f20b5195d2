// How good a version is about one question: figures, the table by option, drawings; and the cutoffs that are tried.

import { ofProject } from "./api.js";
import { at, fill, h, percent, rested } from "./dom.js";
import { draw } from "./figure.js";
import { answer } from "./job.js";
import { busy, complain } from "./notices.js";
import { count, marked, recounted } from "./training_trial.js";
import { change, head, name, share, tiles } from "./training_words.js";

const manages = document.body.dataset.role === "manager";
const FEW = 30;
const joined = (path) => path.join(" / ");

export class QuestionFigures {
  /** `cell(true, predicted)` opens the frames of a cell; `kept()` is called where cutoffs were changed for good. */
  constructor({ cell, kept, chose }) {
    Object.assign(this, { cell, kept, chose, turn: 0 });
    this.redraw = rested(() => this.drawTried().catch(complain), 60);
  }

  /** of: {version, part, classification, parent}; question: its part of the evaluation; about: of summary.questions. */
  async show(of, question, about, option, serves) {
    const turn = ++this.turn;
    Object.assign(this, { of, question, about, serves, scored: null, tried: null, drawn: null, option: about.options.some((path) => joined(path) === option) ? option : "" });
    fill(at("followed"));
    if (!question.rows) {
      for (const id of ["figures-of-all", "options", "cutoff-actions"]) fill(at(id));
      fill(at("figures-of-all"), h("p.quiet", {}, "No frame of this part can be judged. With more answers there will be some."));
    } else {
      this.overview(question);
      this.table();
    }
    const path = ofProject(`/versions/${encodeURIComponent(of.version)}`), query = `?${new URLSearchParams({ part: of.part, classification: of.classification, parent: of.parent })}`;
    if (question.rows) {
      const scored = await answer(`${path}/scores${query}`, null, h("div"));
      if (turn !== this.turn) return;
      this.scored = scored;
      this.now = count(scored, scored.cutoffs);
      this.table();
    }
    await this.draw();
  }

  overview(one) {
    const bounds = one.intervals ?? {}, between = (figure) => (bounds[figure] ? `${percent(bounds[figure][0])} to ${percent(bounds[figure][1])}, 95 % sure` : "");
    const tile = (figure, value = one[figure]) => [figure, share(value), between(figure)];
    const few = one.options.filter((option) => option.positives < 15).map((option) => `${joined(option.path)} (${option.positives})`);
    const none = one.options.filter((option) => !option.positives).map((option) => joined(option.path));
    fill(at("figures-of-all"),
      tiles([["frames", String(one.rows), ""], ...["accuracy", "macro_f1", "micro_precision", "micro_recall", "coverage", "subset_accuracy", "roc_auc", "average_precision", "ece"].map((figure) => tile(figure))]));
    const notes = [
      one.intervals && !one.intervals.accuracy ? "All of these frames are of one video, or of one picture and its copies: how well it does on others cannot be known yet." : "",
      none.length ? `There is no example here of ${none.join(", ")}: nothing can be said about them.` : "",
      one.rows < FEW ? `Only ${one.rows} frames were judged. A figure may be far off: look at the ranges, not at the numbers.` : few.length ? `Few examples, so what is measured is a guess: ${few.slice(0, 8).join(", ")}${few.length > 8 ? ` and ${few.length - 8} more` : ""}.` : "",
    ].filter(Boolean);
    if (notes.length) at("figures-of-all").prepend(h("div.note.warn", {}, notes.map((words) => h("div", {}, words))));
  }

  /** The table by option; the chosen one has the slider of its cutoff. */
  table() {
    const shown = this.tried ? count(this.scored, this.tried) : null;
    const rows = this.question.options.map((measured, index) => {
      const path = joined(measured.path), isChosen = path === this.option, one = shown?.options[index] ?? measured;
      const cell = (figure, bounds = null) => h("td.number", {}, share(one[figure], shown ? null : bounds), shown ? [" ", change(this.now.options[index][figure], one[figure])] : null);
      return h("tr", { dataset: { option: path }, "aria-current": isChosen ? "true" : null },
        h("td", {}, h("button.plain", { type: "button", "aria-pressed": String(isChosen), onclick: () => this.choose(path) }, path)),
        h("td.number", {}, String(measured.positives)), cell("precision"), cell("recall"), cell("f1", measured.f1_interval),
        h("td.number", {}, share(measured.roc_auc)), h("td.number", {}, share(measured.average_precision)),
        h("td", {}, this.scored && isChosen ? this.slider(index, one.cutoff) : one.cutoff.toFixed(2)));
    });
    const focused = document.activeElement?.closest("tr[data-option]") ? document.activeElement.type : null;
    fill(at("options"), h("table", {}, head(["Option", ""], ["frames"], ["precision"], ["recall"], ["f1"], ["roc_auc"], ["average_precision"], ["cutoff", ""]), h("tbody", {}, rows)));
    if (focused) at("options").querySelector(`tr[aria-current] [type=${focused}]`)?.focus();
    this.follow(shown);
  }

  slider(index, cutoff) {
    const path = joined(this.about.options[index]);
    const input = (type) => h("input", { type, min: "0", max: "1", step: "0.01", value: cutoff.toFixed(2), "aria-label": `Cutoff of ${path}` });
    const range = input("range"), number = input("number");
    const hear = (event) => {
      const value = Math.min(1, Math.max(0, Number(event.target.value)));
      if (event.target.value !== "" && !Number.isNaN(value)) this.try(index, value);
    };
    range.addEventListener("input", hear);
    number.addEventListener("change", hear);
    return h("div.cutoff", {}, range, number);
  }

  try(index, cutoff) {
    this.tried ??= [...this.scored.cutoffs];
    this.tried[index] = cutoff;
    this.table();
    this.redraw();
  }

  follow(shown) {
    if (!this.scored) return;
    const now = shown ?? this.now, sample = this.scored.frames < this.scored.of ? ` Counted on ${this.scored.frames} of ${this.scored.of} frames.` : "";
    const tell = (figure) => h("span", {}, `${name(figure)} ${share(now[figure])} `, shown ? change(this.now[figure], shown[figure]) : null);
    fill(at("followed"), h(shown ? "div.note" : "div", {},
      h("p", {}, `At ${shown ? "these" : "today's"} cutoffs about ${now.labeled} of ${now.frames} frames get an answer, and about ${percent(now.micro_precision)} of the answers are right.${sample}`),
      shown ? h("div.row", {}, ["macro_f1", "micro_precision", "micro_recall", "coverage", "subset_accuracy"].map(tell)) : null));
    if (!manages) return;
    fill(at("cutoff-actions"),
      shown && this.serves ? h("button.main", { type: "button", onclick: busy(() => this.keep(false)) }, "Keep these cutoffs") : null,
      shown ? h("button", { type: "button", onclick: () => { this.tried = null; this.table(); this.redraw(); } }, "Back to those in force") : null,
      this.serves ? h("button", { type: "button", onclick: busy(() => this.keep(true)) }, "Follow what training finds") : h("span.quiet", {}, "Cutoffs can be tried here; they are kept for the version that predicts."));
  }

  /** By hand, for the options that were moved; or what was chosen by hand for this question is forgotten. */
  async keep(forget) {
    const { keep } = await import("./training_keeping.js");
    const told = await keep(this.of.classification, this.about.options, this.scored.cutoffs, forget ? null : this.tried);
    await this.kept();
    if (told) at("followed").prepend(told);
  }

  choose(path) {
    this.option = path === this.option ? "" : path;
    this.chose(this.option);
    this.table();
    this.draw().catch(complain);
  }

  async draw() {
    const turn = this.turn, option = this.option;
    const query = new URLSearchParams({ part: this.of.part, classification: this.of.classification, parent: this.of.parent, option });
    const { figures } = await answer(`${ofProject(`/versions/${encodeURIComponent(this.of.version)}/figures`)}?${query}`, null, h("div"));
    if (turn !== this.turn || option !== this.option) return;
    this.drawn = figures;
    const whose = option ? ` of ${option}` : ", all options together";
    for (const kind of ["precision_recall", "reliability", "roc"]) at(`drawn-${kind}`).querySelector("h3").textContent = `${{ precision_recall: "Precision and recall", reliability: "Reliability", roc: "ROC" }[kind]}${whose}`;
    await this.drawTried();
  }

  async drawTried() {
    if (!this.drawn) return;
    const figures = { ...this.drawn }, index = this.about.options.findIndex((path) => joined(path) === this.option);
    const counted = this.scored ? count(this.scored, this.tried ?? this.scored.cutoffs) : null;
    if (this.tried && figures.confusion) figures.confusion = recounted(figures.confusion, this.scored, counted.confusion);
    if (counted && index >= 0 && figures.precision_recall) figures.precision_recall = marked(figures.precision_recall, counted.options[index].cutoff);
    const heard = {
      confusion: (point) => this.cell(point.customdata[0], point.customdata[1]),
      precision_recall: (point) => index >= 0 && this.scored && point.customdata !== null && point.curveNumber === 0 && this.try(index, Math.floor(100 * point.customdata) / 100),
    };
    this.matrix(figures.confusion);
    for (const [kind, figure] of Object.entries(figures)) {
      const place = at(`drawn-${kind}`).querySelector("[data-plot]");
      if (figure) {
        if (place.firstElementChild?.matches(".quiet")) fill(place);
        draw(place, figure, { clicked: heard[kind] }).catch(complain);
      } else fill(place, h("p.quiet", {}, kind === "learning" ? "This classifier does not tell how it learned." : "There are too few frames to draw it."));
    }
  }

  /** The same as the heat map, for those who listen, and for the keyboard. */
  matrix(figure) {
    const place = at("drawn-confusion").querySelector("[data-table]");
    if (!figure) return fill(place);
    const [heat] = figure.data, said = heat.customdata[0] ?? [];
    const rows = heat.customdata.map((row, y) => h("tr", {}, h("th", { scope: "row" }, row[0][2]), row.map(([truth, predicted], x) =>
      h("td", {}, heat.text[y][x] ? h("button", { type: "button", "aria-label": `${heat.text[y][x]} frames that hold ${truth || "none"}, answered ${predicted || "nothing"}`, onclick: () => this.cell(truth, predicted) }, heat.text[y][x]) : ""))));
    return fill(place, h("table.matrix", {}, h("thead", {}, h("tr", {}, h("td", {}, "holds \\ said"), said.map((cell) => h("th", { scope: "col" }, cell[3])))), h("tbody", {}, rows)));
  }
}
