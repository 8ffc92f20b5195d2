// What is selected is given a class: chosen from the tree, counted first, run, watched, taken back.

import { get, ofProject } from "./api.js";
import { at, fill, h } from "./dom.js";
import { answer, show } from "./job.js";
import { busy, say } from "./notices.js";
import { choices, condition, inOrder, named, opened } from "./similarity_options.js";

const count = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;

export class Give {
  /** `search()`: the request that found the frames, or undefined. `done(run, tasks)`: labels are others now. */
  constructor({ chosen, ontology, url, search, done }) {
    Object.assign(this, { chosen, ontology, url, search, done, place: at("give") });
    if (document.body.dataset.role === "viewer") return;
    this.number = h("strong", { role: "status" });
    this.chain = h("div.row.tight");
    this.as = h("select", { name: "as", "aria-label": "Give it as" }, h("option", { value: "predictions" }, "as predictions"), h("option", { value: "annotations" }, "as annotations"));
    const check = (words) => {
      const box = h("input", { type: "checkbox" });
      return [box, h("label.small", { hidden: true }, box, words)];
    };
    [this.scenes, this.scenesBox] = check("whole scenes of videos");
    [this.parents, this.parentsBox] = check("also answer what it belongs to, where that is clear");
    [this.also, this.alsoBox] = check("also where a person has answered the task");
    this.scenes.checked = true;
    this.result = h("div.stack", { role: "status" });
    this.buttons = h("div.row.tight", {}, h("button", { type: "submit", name: "preview" }, "Preview"), h("button.main", { type: "submit", name: "give" }, "Give"));
    this.form = h("form.row", { onsubmit: busy((event) => this.#submit(event)), onchange: () => this.#options() },
      this.number, h("button.plain", { type: "button", onclick: () => chosen.clear() }, "Clear"), this.chain, this.as, this.buttons, this.scenesBox, this.parentsBox, this.alsoBox);
    fill(this.place, this.form, this.result);
    this.#draw();
    chosen.addEventListener("change", () => this.#count());
  }

  /** The labeling configuration was changed. */
  async refresh() {
    this.ontology = await get(ofProject("/ontology"));
    this.#draw();
  }

  focus() {
    this.chain?.querySelector("select")?.focus();
  }

  #draw() {
    const first = h("select", { "aria-label": "Class" }, choices(inOrder(this.ontology), { empty: "give a class…" }));
    fill(this.chain, first, h("button.plain", { type: "button", title: "Read the options anew", "aria-label": "Read the options anew", onclick: busy(() => this.refresh()) }, "⟳"));
    this.#options();
  }

  #count() {
    this.place.hidden = !this.chosen.size && !this.result.childElementCount;
    this.number.textContent = `${count(this.chosen.size, "frame")} selected`;
    this.scenesBox.hidden = !this.chosen.hits.some((hit) => hit.scene);
    for (const button of this.buttons.children) button.disabled = !this.chosen.size || !this.labels.length;
  }

  get labels() {
    return [...this.chain.querySelectorAll("select")].filter((select) => select.value).map((select) => JSON.parse(select.value));
  }

  /** An option that opens attributes asks for these, too. */
  #options() {
    const selects = [...this.chain.querySelectorAll("select")];
    const wanted = [];
    for (const select of selects) {
      if (!select.value || (select.dataset.of && !wanted.some((one) => one.name === select.dataset.of))) continue;
      wanted.push(...opened(this.ontology, JSON.parse(select.value)));
    }
    for (const select of selects.slice(1)) if (!wanted.some((one) => one.name === select.dataset.of)) select.remove();
    const last = this.chain.lastElementChild;
    for (const one of wanted) {
      if ([...this.chain.querySelectorAll("select")].some((select) => select.dataset.of === one.name)) continue;
      last.before(h("select", { dataset: { of: one.name }, "aria-label": one.name }, choices([one], { empty: `${one.name}: not said` })));
    }
    const [first] = this.labels;
    const belongs = first && this.ontology.classifications.some((one) => one.name === first[0] && condition(one));
    this.parentsBox.hidden = !belongs;
    this.alsoBox.hidden = this.as.value !== "annotations";
    this.#count();
  }

  get #body() {
    const whole = this.scenes.checked ? this.chosen.hits.filter((hit) => hit.scene) : [];
    const ids = this.chosen.hits.filter((hit) => !whole.includes(hit)).map((hit) => hit.id);
    const search = this.search();
    return {
      labels: this.labels, as: this.as.value, ids,
      ...(whole.length ? { hits: whole.map(({ task, tag, frame, scene }) => ({ task, tag, frame, scene: { first: scene.first, last: scene.last } })) } : {}),
      ...(search ? { search } : {}),
      ...(this.by ? { by: this.by } : {}),
      ...(!this.parentsBox.hidden && this.parents.checked ? { with_parents: true } : {}),
      ...(!this.alsoBox.hidden && this.also.checked ? { also_annotated: true } : {}),
    };
  }

  async #submit(event) {
    const place = h("div");
    fill(this.result, place);
    try {
      this.by ??= (await get("/me")).name;
      if (event.submitter?.name === "give") await this.#give(place);
      else {
        const { counts } = await answer(ofProject("/bulk-labels/preview"), this.#body, place);
        fill(this.result, this.#counts(counts));
      }
    } catch (error) {
      fill(this.result, h("p.note.bad", {}, error.message));
    }
  }

  #counts(counts) {
    const what = this.as.value === "annotations" ? "annotation" : "prediction";
    const answers = Object.entries(counts.answers).map(([label, frames]) => h("li", {}, `${label}: ${count(frames, "frame")}`));
    const reasons = Object.entries(counts.reasons ?? {}).map(([reason, tasks]) => h("li", {}, `${count(tasks, "task")}: ${reason}`));
    const refused = [...new Set((counts.refusals ?? []).map((one) => one.task).filter(Boolean))].slice(0, 12);
    return h(`div.note${counts.refused ? ".warn" : ""}`, {},
      h("p", {}, h("strong", {}, `Would write ${count(counts.written, what)} in ${count(counts.tasks, "task")}. `), counts.said ? `${count(counts.said, "frame")} had it already. ` : ""),
      answers.length ? h("ul", {}, answers) : null,
      counts.refused ? h("div", {}, h("strong", {}, `${count(counts.refused, "task")} refused:`), h("ul", {}, reasons), refused.length && this.url
        ? h("p.small", {}, "Such as ", refused.flatMap((task) => [h("a", { href: `${this.url}/data?task=${task}`, target: "_blank", rel: "noopener" }, `task ${task}`), " "])) : null) : null,
      (counts.problems ?? []).slice(0, 5).map((words) => h("p.small", {}, words)));
  }

  async #give(place) {
    const labels = this.labels.map(named).join(", "), tasks = [...new Set(this.chosen.hits.map((hit) => hit.task))];
    const { run, job } = await answer(ofProject("/bulk-labels"), this.#body, place);
    const last = await show(job, place, { title: labels });
    const told = await get(`/runs/${run}`);
    const undo = h("button", { type: "button", onclick: busy(async () => {
      const undone = await answer(`/runs/${run}/undo`, {}, place);
      fill(this.result);
      say(undone.message || "taken back", "good");
      this.#count();
      this.done(run, tasks);
    }) }, "Undo");
    const close = h("button.plain", { type: "button", onclick: () => {
      fill(this.result);
      this.#count();
    } }, "Close");
    fill(this.result, h(`div.note.row.between${last.state === "done" ? "" : ".warn"}`, {},
      h("span", {}, h("strong", {}, `${labels}: `), told.message || last.message || last.state), h("span.row", {}, undo, close)), place);
    fill(place);
    this.chosen.clear();
    this.done(run, tasks);
  }
}

/** Tells whoever shows this page in a frame. */
export function tell(run, tasks) {
  if (parent === window) return;
  for (const task of tasks.slice(0, 1000)) parent.postMessage({ espalier: "run-done", task, run }, location.origin);
}
