// The classification range: two handles on a strip of frames, and the same as numbers. Label Studio counts from 1.

import { ofProject, address } from "./api.js";
import { at, duration, fill, h, rested } from "./dom.js";
import { thumbnail } from "./pictures.js";

const first = at("first"), last = at("last"), stride = at("stride");

/** `told()` is called whenever the range was changed. */
export class Range {
  constructor(told) {
    this.told = told;
    this.media = null; // of the one task that was chosen
    for (const input of [first, last, stride]) input.addEventListener("input", () => this.typed());
    this.nearer = rested(() => this.pictures(), 250);
  }

  /** The media of one task, or null where there are several tasks, whose lengths differ. */
  show(media, task) {
    Object.assign(this, { media, task });
    const place = at("slider");
    place.hidden = !media;
    if (media) this.draw(place);
    this.typed();
  }

  get value() {
    const number = (input) => (input.value === "" ? null : Math.max(1, Math.round(Number(input.value))));
    return { first: number(first) ?? 1, last: number(last), stride: number(stride) ?? 0 };
  }

  set(from, to) {
    first.value = from;
    last.value = to ?? "";
    this.typed();
  }

  draw(place) {
    const { frames, pictures } = this.media;
    const handle = (name) => h("input", { type: "range", min: "1", max: String(frames), step: "1", "aria-label": name });
    this.low = handle("First frame");
    this.high = handle("Last frame");
    this.before = h("div.outside");
    this.after = h("div.outside.after");
    const strip = h("div.strip", { "aria-hidden": "true" },
      pictures.map((one) => h("img", { src: thumbnail(one.id, 96), alt: "", loading: "lazy" })), this.before, this.after);
    this.ends = [h("figure"), h("figure")];
    this.low.addEventListener("input", () => this.slid(this.low, Math.min(Number(this.low.value), Number(this.high.value)), null));
    this.high.addEventListener("input", () => this.slid(this.high, null, Math.max(Number(this.low.value), Number(this.high.value))));
    fill(place, strip, h("div.handles", {}, this.low, this.high), h("div.ends", {}, this.ends));
  }

  slid(handle, from, to) {
    if (from !== null) first.value = handle.value = from;
    if (to !== null) {
      handle.value = to;
      last.value = to === this.media.frames ? "" : to;
    }
    this.typed();
  }

  /** The handles, the strip and the sentence follow the numbers. */
  typed() {
    const { first: from, last: to, stride: step } = this.value;
    const words = at("range-words");
    last.setCustomValidity(to !== null && to < from ? "the last frame comes before the first" : "");
    if (this.media) {
      const { frames, duration_s } = this.media, end = Math.min(to ?? frames, frames), start = Math.min(from, frames);
      const pace = duration_s / frames;
      this.low.value = start;
      this.high.value = end;
      for (const [input, frame] of [[this.low, start], [this.high, end]]) {
        input.setAttribute("aria-valuetext", pace ? `frame ${frame}, at ${(frame * pace).toFixed(1)} s` : `frame ${frame}`);
      }
      // The handle whose way is short must be the upper one, or it cannot be taken back.
      this.low.style.zIndex = start > frames / 2 ? 2 : 1;
      this.before.style.width = `${(100 * (start - 1)) / frames}%`;
      this.after.style.width = `${(100 * (frames - end)) / frames}%`;
      const count = Math.max(0, end - start + 1), looked = Math.ceil(count / (step || 1));
      words.textContent = `frames ${start} to ${end} of ${frames}${pace ? `, ${duration(count * pace)}` : ""}`
        + (step > 1 ? `; ${looked} of them are looked at, each stands for those up to the next` : "");
      this.nearer();
    } else {
      words.textContent = `of each task, from frame ${from} ${to === null ? "to its last" : `to ${to}, or its last`}`
        + (step > 1 ? `, every ${step}th` : "; of a video of more than 3000 frames some are chosen evenly, unless every one was looked at before");
    }
    this.told();
  }

  /** What is seen at both ends. */
  pictures() {
    if (!this.media) return;
    const { frames, length, tag, kind } = this.media;
    const seen = [[this.low, "first"], [this.high, "last"]];
    seen.forEach(([input, name], index) => {
      const number = Number(input.value);
      const frame = kind === "video" ? Math.min(length, Math.floor(((number - 1) * length) / frames) + 1) : number;
      const src = address(ofProject(`/tasks/${this.task}/thumbnail`), { frame, tag, size: 240 });
      fill(this.ends[index], h("img", { src, alt: `frame ${number}`, width: 96, height: 72 }),
        h("figcaption", {}, `${name}: ${number}`));
    });
  }
}
