// The frames behind a figure: right or wrong ones, or those of a cell; each with what it was taken for.

import { get, ofProject } from "./api.js";
import { at, fill, h, percent } from "./dom.js";
import { show } from "./job.js";
import { complain } from "./notices.js";
import { Grid, image } from "./pictures.js";

const WHICH = { wrong: "Wrong", right: "Right", above: "Answered", below: "Not answered", all: "All" };
const CHUNK = 100;
export const words = (paths) => (paths.length ? paths.map((path) => path.join(" / ")).join(", ") : "none");

export class Frames {
  /** `changed(which, true, predicted)` hears what is looked at. */
  constructor(project, changed) {
    Object.assign(this, { project, changed, known: new Map(), asked: null, turn: 0 });
    this.grid = new Grid(at("frames"), { width: 160, height: 214, draw: (index) => this.draw(index), load: (first, last) => this.load(first, last) });
    fill(at("which"), Object.entries(WHICH).map(([which, said]) =>
      h("button", { type: "button", "aria-pressed": "false", dataset: { which }, onclick: () => this.look({ ...this.of, which }).catch(complain) }, said)));
  }

  /** of: version, classification, parent, part, which, and of a cell true and predicted. */
  async look(of) {
    const turn = ++this.turn;
    this.of = of;
    if (of.which !== "cell") this.of = { ...of, true: undefined, predicted: undefined };
    this.known.clear();
    for (const button of at("which").children) button.setAttribute("aria-pressed", String(button.dataset.which === of.which));
    this.changed(this.of);
    const first = await this.ask(0);
    if (turn !== this.turn) return;
    const name = of.which === "cell" ? `Frames that hold ${of.true || "none"} and were answered ${of.predicted || "nothing"}` : `${WHICH[of.which]} of ${of.classification}`;
    at("frames-about").textContent = first.total ? `${name}: ${first.total}, the surest first.` : `${name}: none. ${of.which === "wrong" ? "Nothing was answered wrongly here." : "Choose another group, or another part above."}`;
    await this.grid.show(first.total);
  }

  async ask(offset) {
    const { version, ...query } = this.of, turn = this.turn;
    const path = ofProject(`/versions/${encodeURIComponent(version)}/frames`);
    let told = await get(path, { ...query, offset, limit: CHUNK });
    if (told.job) {
      await show(told.job, at("frames-about"));
      told = await get(path, { ...query, offset, limit: CHUNK });
    }
    if (turn === this.turn) told.frames.forEach((frame, index) => this.known.set(offset + index, frame));
    return told;
  }

  async load(first, last) {
    for (let offset = Math.floor(first / CHUNK) * CHUNK; offset < last; offset += CHUNK) if (!this.known.has(offset)) await this.ask(offset);
  }

  draw(index) {
    const frame = this.known.get(index);
    if (!frame) return h("li.picture");
    const isRight = words(frame.truth) === words(frame.answers);
    const about = frame.task === null ? "no task shows it any more" : `task ${frame.task}${frame.frame > 1 || frame.tag ? `, frame ${frame.frame}` : ""}`;
    const keyed = (event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), this.open(frame));
    return h("li.picture", {}, h("div", { tabIndex: 0, role: "button", onclick: () => this.open(frame), onkeydown: keyed },
      frame.id === null ? h("span.caption", {}, about) : image(frame.id, about),
      h("div.caption", {}, h("div", {}, `holds: ${words(frame.truth)}`), h(`div.${isRight ? "better" : frame.answers.length ? "worse" : "quiet"}`, {}, `said: ${words(frame.answers)}`),
        h("div.quiet", {}, `${frame.best.join(" / ")} ${percent(frame.score)}`))));
  }

  async open(frame) {
    (await import("./training_frame.js")).open(frame, this.of, this.project);
  }
}
