// Runs that were: what they were asked, what they wrote, how it can be taken back.

import { get, ofProject, post } from "./api.js";
import { at, fill, h, when } from "./dom.js";
import { answer } from "./job.js";
import { complain, say } from "./notices.js";
import { outside, problems, task_url } from "./label_outcome.js";

const KINDS = { labeling: "Automated labeling", bulk: "Bulk label", next: "List: label next", errors: "List: likely errors", revisit: "List: to revisit", poor: "List: poor pictures" };
const STATES = { done: "good", failed: "bad", cancelled: "warn", running: "", queued: "", undone: "" };
const AT_ONCE = 10, TASKS_LINKED = 8;
const may = document.body.dataset.role !== "viewer";

/** A run's parameters as people would say them. */
export function asked(parameters) {
  const { tasks, filter, first, last, stride, confidence, confidences, classifications, existing, parents, blind, device } = parameters;
  const some = tasks?.length === 1 ? `task ${tasks[0]}` : tasks ? `${tasks.length} tasks` : { all: "all tasks", unlabeled: "unlabeled tasks", labeled: "labeled tasks", unpredicted: "tasks no run has labeled" }[filter] ?? filter;
  const own = Object.entries(confidences ?? {}).map(([name, cutoff]) => `${name} ${cutoff}`);
  return [
    some,
    first > 1 || last ? `frames ${first}–${last ?? "last"}` : null, stride > 1 ? `every ${stride}th` : null,
    classifications ? `only ${classifications.join(", ")}` : null,
    confidence !== null && confidence !== undefined ? `cutoff ${confidence}` : null, own.length ? `cutoffs: ${own.join(", ")}` : null,
    { skip: "leaving out what runs have labeled", replace: "replacing earlier runs" }[existing], parents === "people" ? "parents from people only" : null,
    blind ? `${Math.round(100 * blind)} % withheld` : null, device ? `on ${device}` : null,
  ].filter(Boolean).join(" · ");
}

function confirmed(question, words) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { "aria-label": question, onclose: () => { dialog.remove(); resolve(dialog.returnValue === "yes"); } },
      h("h2", {}, question), h("p", {}, words),
      h("form.row", { method: "dialog" }, h("button.main", { value: "yes" }, "Undo"), h("button", { value: "no" }, "Keep it")));
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Asks, and takes back; resolves with whether it was. `place` shows the progress. */
export async function undo(run, place) {
  const what = run.kind === "bulk" ? "what it wrote" : `its predictions (${run.version})`;
  if (!await confirmed("Undo this run?", `Deletes ${what} in Label Studio, and nothing else: what people labeled stays.`)) return false;
  const done = await answer(`/runs/${run.id}/undo`, {}, place);
  say(done.message || `undone: ${done.deleted} deleted`, "good");
  return true;
}

export class Runs {
  constructor(project, told) {
    Object.assign(this, { project, told, count: AT_ONCE, current: null });
    at("more-runs").addEventListener("click", () => {
      this.count += AT_ONCE;
      this.refresh();
    });
  }

  async refresh(current = this.current) {
    this.current = current;
    try {
      const { items } = await get(ofProject("/runs"), { limit: this.count + 1 });
      at("more-runs").hidden = items.length <= this.count;
      fill(at("runs"), items.length ? items.slice(0, this.count).map((run) => this.row(run)) : h("li.quiet", {}, "No run yet. The first one will stand here, and can be undone."));
    } catch (error) {
      complain(error);
    }
  }

  row(run) {
    const place = h("div"), over = !["running", "queued"].includes(run.state);
    const measured = h("p.small", { hidden: true });
    if (run.parameters.blind && run.state !== "undone" && over) this.measure(run, measured);
    const actions = [
      over && run.kind === "labeling" && run.counts.written && run.state !== "undone" ? h("a.button", { href: this.link("review", run.id) }, "Review") : null,
      run.version && run.state !== "undone" ? outside(this.project.url, "In Label Studio") : null,
      may && over && run.state !== "undone" ? h("button", { type: "button", onclick: () => undo(run, place).then((did) => did && this.told(run), complain) }, "Undo") : null,
      over ? null : h("a.button", { href: this.link("label", run.id) }, "Watch"),
      may && !over ? h("button", { type: "button", onclick: () => post(`/runs/${run.id}/cancel`).then(() => this.refresh(), complain) }, "Cancel") : null,
    ];
    const answers = Object.entries(run.counts.answers ?? {});
    return h(`li${run.id === this.current ? ".current" : ""}`, { dataset: { run: run.id } },
      h("div.row", {}, h("strong", {}, KINDS[run.kind] ?? run.kind), h("span.quiet", {}, when(run.created_at)),
        h(`span.badge${STATES[run.state] ? `.${STATES[run.state]}` : ""}`, {}, run.state), h("span.quiet.small", {}, run.version)),
      run.kind === "labeling" ? h("div.small", {}, asked(run.parameters)) : null,
      h("div.small", {}, run.message || `${run.done} of ${run.total} tasks`),
      measured,
      answers.length ? h("details", {}, h("summary", {}, "What it answered"), h("ul", {}, answers.map(([name, count]) => h("li", {}, `${name}: ${count}`)))) : null,
      problems(run.counts), h("div.row", {}, actions), place);
  }

  /** What people said since of the tasks that were withheld. */
  async measure(run, place) {
    try {
      const told = await get(`/runs/${run.id}/blind`);
      if (!told.sentence) return;
      place.textContent = told.sentence;
      place.hidden = false;
    } catch (error) {
      place.textContent = error.message;
    }
  }

  link(page, run) {
    const here = new URL(location.href), query = new URLSearchParams({ project: here.searchParams.get("project") ?? this.project.id, run });
    if (here.searchParams.get("embed") === "1") query.set("embed", "1");
    return `${here.pathname.replace(/[^/]*$/, page)}?${query}`;
  }
}

/** Links to some of the tasks that a run wrote to. */
export async function written(run, project) {
  const { items } = await get(`/runs/${run.id}/items`, { state: "written", limit: TASKS_LINKED });
  if (!items.length || !project.url) return null;
  return h("p", {}, "In Label Studio: ", outside(project.url, "the project"),
    items.map((one) => [", ", outside(task_url(project, one.task), `task ${one.task}`)]), run.counts.written > items.length ? " and others" : "");
}
