// The map: frames as points, near where they are alike. Pan, zoom, look, and select with a lasso or from the list.

import { ofProject } from "./api.js";
import { fill, h, rested } from "./dom.js";
import { answer } from "./job.js";
import { image } from "./pictures.js";
import { words } from "./similarity_frame.js";
import { Hits } from "./similarity_hits.js";
import { empty, frame, latest } from "./similarity_panel.js";
import { Points } from "./similarity_points.js";

const PALETTE = ["#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#9c755f", "#17a2a2", "#d4a017", "#ff7fb0", "#6b6ecf", "#8ca252", "#bd5a9e"];
const BY = { said: "what is said", person: "what people answered", version: "what is predicted", cluster: "cluster" };
const QUICK = 5000; // frames up to which the better map takes seconds
const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

export class Chart {
  constructor(place, { chosen, url }) {
    Object.assign(this, { place, chosen, url, lasso: null, moving: new Map(), mode: "pan" });
    this.canvas = h("canvas", { tabindex: "0", role: "img", "aria-label": "Map of the frames. Arrows move it, + and - zoom; the list beside it selects by class." });
    this.line = h("canvas.line", { "aria-hidden": "true" });
    this.tip = h("div.tip", { hidden: true });
    this.legend = h("ul.legend");
    const mode = (name, words, title) => h("button", { type: "button", dataset: { mode: name }, title, "aria-pressed": String(name === this.mode), onclick: () => this.#mode(name) }, words);
    const zoom = (by, words, name) => h("button", { type: "button", "aria-label": name, onclick: () => this.#zoom(by) }, words);
    this.by = h("select", { "aria-label": "Colour by", onchange: () => this.colour() }, Object.entries(BY).map(([value, name]) => h("option", { value }, name)));
    this.modes = h("div.row.tight", {}, mode("pan", "Move", "drag moves the map"), mode("lasso", "Lasso", "drag around what is to be selected; or hold Shift"));
    fill(place, h("div.row.between", {}, h("div.row.tight", {}, this.modes, zoom(1.5, "+", "Zoom in"), zoom(1 / 1.5, "−", "Zoom out"), h("button", { type: "button", onclick: () => {
      this.points.reset();
      this.draw();
    } }, "All")), h("label", {}, "Colour by ", this.by)), h("div.map", {}, h("div.plane", {}, this.canvas, this.line, this.tip), this.legend));
    this.#listen();
    chosen.addEventListener("change", rested(() => this.#picked(), 30));
    addEventListener("themechange", () => this.draw());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  /** As the API tells it. */
  show(told) {
    this.told = told;
    this.points = new Points(told.points.x, told.points.y);
    this.by.querySelector("[value=cluster]").disabled = !told.points.cluster;
    this.colour();
    this.#picked();
  }

  colour() {
    const { points: { label, source, cluster }, labels } = this.told, by = this.by.value;
    const names = by === "cluster" ? Array.from({ length: Math.max(-1, ...new Set(cluster)) + 1 }, (_, at) => `cluster ${at + 1}`) : labels;
    const counts = new Array(names.length + 1).fill(0);
    for (let i = 0; i < this.points.n; i++) {
      const group = by === "cluster" ? cluster[i] : by === "said" || source[i] === by ? label[i] : -1;
      this.points.group[i] = group < 0 ? names.length : group;
      counts[this.points.group[i]]++;
    }
    this.points.hidden.clear();
    this.colours = [...names.map((_, at) => rgb(PALETTE[at % PALETTE.length])), [140, 148, 144]];
    fill(this.legend, [...names, "nothing said"].map((name, group) => !counts[group] ? null : h("li", {},
      h("input", { type: "checkbox", checked: true, "aria-label": `Show ${name}`, onchange: (event) => {
        this.points.hidden[event.target.checked ? "delete" : "add"](group);
        this.draw();
      } }),
      h("span.swatch", { style: { "background-color": `rgb(${this.colours[group]})` } }),
      h("button.plain", { type: "button", title: "Select them", onclick: () => this.#select(Array.from(this.points.group.keys()).filter((i) => this.points.group[i] === group)) }, name, " ", h("span.quiet", {}, String(counts[group]))))));
    this.draw();
  }

  hit(i) {
    const { id, task, tag, frame, time_s } = this.told.points;
    return { id: id[i], task: task[i], tag: tag[i], frame: frame[i], time_s: time_s[i] };
  }

  #select(rows) {
    this.chosen.set(rows.map((i) => this.hit(i)));
  }

  #picked() {
    if (!this.points) return;
    this.told.points.id.forEach((id, i) => this.points.picked[i] = this.chosen.has(id));
    this.draw();
  }

  draw() {
    cancelAnimationFrame(this.drawing);
    this.drawing = requestAnimationFrame(() => {
      const { clientWidth: width, clientHeight: height } = this.canvas;
      if (!this.points || !width) return;
      for (const canvas of [this.canvas, this.line]) {
        canvas.width = Math.round(width * devicePixelRatio);
        canvas.height = Math.round(height * devicePixelRatio);
      }
      const ink = getComputedStyle(this.canvas).color;
      this.points.draw(this.canvas.getContext("2d"), this.colours, ink.match(/\d+/g).slice(0, 3).map(Number));
      if (!this.lasso) return;
      const line = this.line.getContext("2d");
      Object.assign(line, { strokeStyle: ink, lineWidth: 2 * devicePixelRatio });
      line.beginPath();
      for (const [x, y] of this.lasso) line.lineTo(x, y);
      line.stroke();
    });
  }

  #mode(name) {
    this.mode = name;
    for (const button of this.modes.children) button.setAttribute("aria-pressed", String(button.dataset.mode === name));
    this.canvas.classList.toggle("lasso", name === "lasso");
  }

  #zoom(by, x = this.canvas.width / 2, y = this.canvas.height / 2) {
    this.points.zoom(by, x, y, this.canvas.width, this.canvas.height);
    this.draw();
  }

  #pan(dx, dy) {
    this.points.pan(dx, dy, this.canvas.width, this.canvas.height);
    this.draw();
  }

  #listen() {
    const { canvas } = this, where = (event) => [event.offsetX * devicePixelRatio, event.offsetY * devicePixelRatio];
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.#zoom(Math.exp(-event.deltaY / 400), ...where(event));
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.moving.set(event.pointerId, where(event));
      this.lasso = this.moving.size === 1 && (this.mode === "lasso" || event.shiftKey) ? [where(event)] : null;
      this.still = true;
    });
    canvas.addEventListener("pointermove", (event) => {
      const now = where(event), before = this.moving.get(event.pointerId);
      if (!before) return this.#look(event, now);
      this.tip.hidden = true;
      if (Math.hypot(now[0] - before[0], now[1] - before[1]) > 2) this.still = false;
      this.moving.set(event.pointerId, now);
      const other = [...this.moving].find(([id]) => id !== event.pointerId)?.[1];
      if (other) this.#zoom(Math.hypot(now[0] - other[0], now[1] - other[1]) / Math.max(1, Math.hypot(before[0] - other[0], before[1] - other[1])), ...other);
      else if (this.lasso) this.lasso.push(now), this.draw();
      else this.#pan(now[0] - before[0], now[1] - before[1]);
    });
    const end = (event) => {
      if (!this.moving.delete(event.pointerId)) return;
      const at = this.still ? this.#nearest(where(event)) : -1;
      if (at >= 0) this.chosen.toggle(this.hit(at));
      else if (this.lasso?.length > 2) this.#select(this.points.within(this.lasso, canvas.width, canvas.height));
      this.lasso = null;
      this.draw();
    };
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
    canvas.addEventListener("pointerleave", () => this.tip.hidden = true);
    canvas.addEventListener("keydown", (event) => {
      const step = 40 * devicePixelRatio, move = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[event.key];
      if (move) this.#pan(...move);
      else if ("+-".includes(event.key)) this.#zoom(event.key === "+" ? 1.3 : 1 / 1.3);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  #nearest(at) {
    return this.points.nearest(...at, this.canvas.width, this.canvas.height, 9 * devicePixelRatio);
  }

  #look(event, at) {
    const i = this.points ? this.#nearest(at) : -1;
    this.tip.hidden = i < 0;
    if (i < 0 || this.tip.dataset.id === String(i)) return;
    this.tip.dataset.id = i;
    const hit = this.hit(i), said = this.told.points.label[i];
    fill(this.tip, image(hit.id, "", 160), h("div.small", {}, words(hit), said < 0 ? "" : ` · ${this.told.labels[said]}`));
    this.tip.style.left = `${Math.min(event.offsetX + 14, this.canvas.clientWidth - 176)}px`;
    this.tip.style.top = `${Math.min(event.offsetY + 14, this.canvas.clientHeight - 160)}px`;
  }
}

export function mapPanel(context) {
  const { chosen, filters } = context, asked = new URLSearchParams(location.search).get("method") ?? "";
  const plane = h("div.stack"), picked = h("div"), head = h("div");
  const method = h("select", { "aria-label": "How it is drawn", onchange: () => run(true) },
    [["", "by itself"], ["umap", "by neighbours (UMAP)"], ["pca", "by the widest differences (PCA)"]].map(([value, words]) => h("option", { value, selected: value === asked }, words)));
  const panel = frame(h("div.row.between", {}, h("p.quiet", {}, "Frames that are alike lie near each other. Draw a lasso around some, or click a class, to select them."), method), plane, head, picked);
  const view = new Hits(picked, { ...context });
  let chart = null;
  chosen.addEventListener("change", rested(() => {
    const hits = chosen.hits;
    fill(head, hits.length ? h("h3", {}, `${hits.length} selected`) : null);
    view.show(hits);
  }, 100));
  const run = latest(panel, async (isLast, progress, byPerson = false) => {
    const conditions = filters.conditions;
    fill(progress, h("p.quiet", {}, "Drawing the map…"));
    const most = Math.min(100000, Math.max(1000, await context.frames()));
    // The quick one at once, and the better one when it is made.
    for (const one of method.value ? [method.value] : most <= QUICK ? ["pca", "auto"] : ["pca"]) {
      const told = await answer(ofProject("/map"), { method: one, most, clusters: true, ...(conditions ? { conditions } : {}) }, progress);
      if (!isLast()) return;
      fill(progress, told.points.id.length ? one === "pca" && !method.value && most <= QUICK ? h("p.quiet", {}, "A better map is being made…") : null : empty(told, conditions));
      if (told.points.id.length) (chart ??= new Chart(plane, context)).show(told);
    }
  });
  return { panel, view, run };
}
