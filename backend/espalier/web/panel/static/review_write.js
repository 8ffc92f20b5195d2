// Decisions are written to Label Studio; what came of it, and the reviews before, each of which can be undone.

import { all, get, ofProject, post } from "./api.js";
import { at, fill, h, when } from "./dom.js";
import { answer, show } from "./job.js";
import { busy, say } from "./notices.js";

const AT_ONCE = 20000;
const NAMED = 100;

/** Sends them in parts, and waits for each. `source`: {run} or {version}. Resolves with the runs. */
export async function write(source, decisions, place) {
  const runs = [];
  const all = decisions.toJson();
  for (let start = 0; start < all.length; start += AT_ONCE) {
    const some = all.slice(start, start + AT_ONCE);
    const started = await answer(ofProject("/reviews"), { ...source, decisions: some }, place);
    decisions.forget(some);
    await show(started.job, place, { title: `Writing ${some.length} decisions to Label Studio` });
    runs.push(await get(`/runs/${started.run}`));
  }
  return runs;
}

/** What was done, and what was skipped and why. */
export function outcome(runs, open) {
  return runs.map((run) => {
    const reasons = Object.entries(run.counts.reasons ?? {});
    const refused = (run.counts.refusals ?? []).slice(0, NAMED);
    return h(`div.note${reasons.length || run.state !== "done" ? ".warn" : ""}`, { role: "status" },
      h("strong", {}, run.state === "done" ? run.message : `${run.state}: ${run.message}`),
      reasons.length ? h("ul", {}, reasons.map(([reason, tasks]) => h("li", {}, `${tasks} ${tasks === 1 ? "task" : "tasks"} skipped: ${reason}`))) : null,
      refused.length ? h("details", {}, h("summary", {}, "Which"), h("p", {}, refused.map((one) => [h("a", { href: open(one.task), target: "_blank", rel: "noopener" }, `task ${one.task}`), " "]))) : null);
  });
}

/** The reviews of these predictions. `changed()` once one was undone. */
export async function earlier(version, changed) {
  const runs = (await all(ofProject("/runs"), {}, 400)).filter((run) => run.kind === "bulk" && run.parameters.review?.version === version);
  at("earlier").hidden = !runs.length;
  const mayUndo = document.body.dataset.role !== "viewer";
  const row = (run) => {
    const place = h("div");
    const undo = h("button", { type: "button", onclick: busy(async () => {
      const done = await answer(`/runs/${run.id}/undo`, {}, place);
      say(done.message);
      await changed();
    }) }, "Undo");
    const going = run.state === "queued" || run.state === "running";
    const cancel = h("button", { type: "button", onclick: busy(async () => { await post(`/runs/${run.id}/cancel`); await changed(); }) }, "Cancel");
    return h("tr", { dataset: { review: run.id } },
      h("td", {}, when(run.created_at)),
      h("td", {}, h(`span.badge${{ done: ".good", failed: ".bad", cancelled: ".warn" }[run.state] ?? ""}`, {}, run.state)),
      h("td", {}, run.message || `${run.done} of ${run.total} tasks`, place),
      h("td", {}, run.parameters.by || ""),
      h("td", {}, !mayUndo || run.state === "undone" ? null : going ? cancel : undo));
  };
  fill(at("reviews"), h("table", {}, h("thead", {}, h("tr", {}, ["When", "State", "What", "By", ""].map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, runs.map(row))));
}
