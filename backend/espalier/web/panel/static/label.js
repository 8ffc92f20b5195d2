// Automated labeling: a form that becomes the parameters of a run, its preview, its progress, its result, its undo.

import { get, ofProject, post } from "./api.js";
import { answer, show } from "./job.js";
import { at, fill, h, rested } from "./dom.js";
import { busy, complain } from "./notices.js";
import { keys } from "./page.js";
import { Cutoffs } from "./label_cutoffs.js";
import { frames, summary } from "./label_outcome.js";
import { Range } from "./label_range.js";
import { Runs, asked, undo, written } from "./label_runs.js";

const form = at("run"), here = new URL(location.href), wanted = here.searchParams;
const embedded = wanted.get("embed") === "1";
const AROUND = 50; // frames on both sides of the one that the page was opened at
const MOST_LISTED = 200;
let project, ontology, runs;

let ready = false;

/** Something else is chosen than what the preview is of. */
function stale() {
  if (!ready) return;
  remember();
  let now = "";
  try {
    now = JSON.stringify(parameters());
  } catch {} // half typed
  const previewed = at("outcome").dataset.preview;
  at("stale").hidden = !previewed || previewed === now;
}
const range = new Range(stale), cutoffs = new Cutoffs(stale);

/** What the form says, as the REST API takes it. */
function parameters() {
  const said = new FormData(form), scope = said.get("scope");
  const chosen = { ...cutoffs.value, version: said.get("version") || null, parents: said.get("parents"), existing: said.get("existing") };
  if (scope === "task") chosen.tasks = numbers(said.get("task"));
  if (scope === "tasks") chosen.tasks = numbers(said.get("selected"));
  if (scope === "filter") {
    const filter = said.get("filter");
    chosen.filter = { view: `view=${said.get("view")}`, field: `${said.get("field").trim()}=${said.get("pattern")}` }[filter] ?? filter;
  }
  if (!at("range").hidden) Object.assign(chosen, range.value);
  if (said.get("device")) chosen.device = said.get("device");
  if (Number(said.get("blind"))) chosen.blind = Math.min(50, Number(said.get("blind"))) / 100;
  return chosen;
}

/** "12, 15-20": the numbers, each once. */
function numbers(text) {
  const found = new Set();
  for (const part of text.split(/[,;\s]+/).filter(Boolean)) {
    const [from, to = from] = part.split(/[-–]/).map(Number);
    if (!(from >= 1 && to >= from && to - from < 1e6)) throw new Error(`“${part}” is no task number, nor a range such as 15-20`);
    for (let id = from; id <= to; id++) found.add(id);
  }
  if (!found.size) throw new Error("say which tasks: numbers such as 12, 15-20 (Label Studio shows them in the Data Manager)");
  return [...found];
}

/** The address says what is chosen, so that it can be sent to somebody, and survives a reload. */
function remember() {
  const said = new FormData(form);
  const keep = { task: said.get("scope") === "task" ? said.get("task") : "", tasks: said.get("scope") === "tasks" ? said.get("selected") : "",
    filter: said.get("scope") === "filter" ? said.get("filter") : "", version: said.get("version") === project?.served ? "" : said.get("version") ?? "" };
  const { first, last, stride } = range.value;
  Object.assign(keep, at("range").hidden ? {} : { first: first > 1 ? first : "", last: last ?? "", stride: stride > 1 ? stride : "" });
  for (const [name, value] of Object.entries(keep)) value === "" ? wanted.delete(name) : wanted.set(name, value);
  history.replaceState(null, "", here);
}

/** The task that was chosen: its name, and for a video or a sequence the slider. */
async function show_task() {
  const hint = at("task-hint"), id = at("task").value;
  const one = form.elements.scope.value === "task" && /^\d+$/.test(id) ? id : null;
  if (!one) {
    hint.textContent = "";
    return range.show(null);
  }
  if (range.task === one && range.media) return;
  try {
    const told = await answer_of(ofProject(`/tasks/${one}`));
    if (at("task").value !== id) return; // another one was chosen meanwhile
    const media = told.media.find((each) => each.kind !== "image") ?? null;
    hint.textContent = [told.name, told.answered ? "labeled" : "not labeled yet", ...told.problems].filter(Boolean).join(" · ");
    range.show(media, one);
  } catch (error) {
    hint.textContent = error.message;
    range.show(null);
  }
}

/** A GET that a worker may have to answer first. */
async function answer_of(path, query = {}) {
  for (let turn = 0; turn < 12; turn++) {
    const told = await get(path, { ...query, wait_s: 10 });
    if (!told.events) return told;
  }
  throw new Error("this takes unusually long: is a worker running? `espalier doctor` says");
}

async function show_version() {
  const name = at("version").value, path = ofProject(`/versions/${encodeURIComponent(name)}`);
  const [known, table, promises] = await Promise.all([
    get(path), answer_of(`${path}/coverage-by-cutoff`).catch(() => null), answer_of(`${path}/coverage`).catch(() => null),
  ]);
  if (at("version").value !== name) return;
  const questions = known.metrics.questions ?? [], reasons = {};
  for (const one of ontology.classifications) {
    const own = questions.filter((each) => each.classification === one.name);
    const learned = own.some((each) => each.trained);
    reasons[one.name] = learned ? "its confidence is not calibrated: nobody's answers are there to check it against"
      : own.find((each) => each.reason)?.reason || "not learned yet: label some frames with at least two of its options";
  }
  cutoffs.notes = [...new Set(questions.flatMap((each) => (each.notes ?? []).map((note) => `${each.classification}: ${note}`)))];
  at("version-hint").textContent = [known.serves ? "serves" : known.state, new Date(known.created_at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }),
    `trained on ${known.trained_on.media ?? known.trained_on.annotations ?? "?"} labeled media`].join(" · ");
  cutoffs.show(ontology, table, promises, reasons);
}

async function preview() {
  const chosen = parameters();
  at("outcome").dataset.preview = JSON.stringify(chosen);
  fill(at("outcome"), h("p.quiet", {}, "Counting…"));
  try {
    const told = await answer(ofProject("/runs/preview"), chosen, at("progress"));
    fill(at("outcome"), summary(told.counts, false), frames(told.frames ?? [], project));
    stale();
  } catch (error) {
    fill(at("outcome"), h("p.note.bad", {}, error.message));
  } finally {
    fill(at("progress"));
  }
  if (innerWidth < 1000) at("outcome-title").scrollIntoView({ block: "start" });
}

async function start() {
  const chosen = parameters();
  const told = await answer(ofProject("/runs"), chosen, at("progress"));
  runs.refresh(told.run);
  await watch(await get(`/runs/${told.run}`));
}

/** From wherever a run is to its end, and what came of it. */
async function watch(run) {
  wanted.set("run", run.id);
  history.replaceState(null, "", here);
  delete at("outcome").dataset.preview;
  at("stale").hidden = true;
  const ran = ["queued", "running"].includes(run.state);
  if (ran) {
    fill(at("outcome"), h("p.quiet", {}, asked(run.parameters)));
    if (innerWidth < 1000) at("outcome-title").scrollIntoView({ block: "start" });
    await show(run.job, at("progress"), { title: `Run ${run.version}` });
    run = await get(`/runs/${run.id}`);
    fill(at("progress"));
  }
  await result(run);
  runs.refresh(run.id);
  if (ran && run.state === "done") tell("run-done", run);
  // A hundred thousand take the server most of a second to read: they are there when they are reviewed.
  if (ran && run.counts.written) get(ofProject("/predictions"), { run: run.id, limit: 1 }).catch(() => {});
}

async function result(run) {
  const place = h("div"), over = run.state !== "undone" && document.body.dataset.role !== "viewer";
  const kind = { done: "", failed: ".bad", cancelled: ".warn", undone: "" }[run.state] ?? "";
  fill(at("outcome"),
    h(`p.note${kind}`, { role: "status" }, h("strong", {}, `Run ${run.version}: ${run.state}. `), run.message),
    run.kind === "labeling" && run.counts.tasks ? summary(run.counts, true) : null,
    run.state === "undone" ? null : await written(run, project).catch(() => null),
    h("div.row", {},
      run.kind === "labeling" && run.counts.written && run.state !== "undone" ? h("a.button.main", { href: runs.link("review", run.id) }, "Review them") : null,
      over ? h("button", { type: "button", onclick: () => undo(run, place).then((did) => did && undone(run), complain) }, "Undo this run") : null),
    place);
}

async function undone(run) {
  runs.refresh(run.id);
  if (wanted.get("run") === run.id) await result(await get(`/runs/${run.id}`));
  tell("run-undone", run);
}

/** Where the page stands in Label Studio's editor, which then shows the new predictions. */
function tell(what, run) {
  if (embedded && parent !== window) parent.postMessage({ espalier: what, task: Number(at("task").value) || null, run: run.id }, location.origin);
}

function arrange(told) {
  const choose = (scope) => { form.elements.scope.value = scope; };
  if (wanted.get("task")) {
    choose("task");
    at("task").value = wanted.get("task");
  } else if (wanted.get("tasks")) {
    choose("tasks");
    at("selected").value = wanted.get("tasks");
  } else if (wanted.get("filter")) {
    choose("filter");
    at("filter").value = wanted.get("filter");
  } else if (told.items.length === 1) {
    choose("task");
    at("task").value = told.items[0].id;
  }
  const frame = Number(wanted.get("frame"));
  at("first").value = wanted.get("first") || (frame ? Math.max(1, frame - AROUND) : 1);
  at("last").value = wanted.get("last") || (frame ? frame + AROUND : "");
  at("stride").value = wanted.get("stride") || "";
  fill(at("tasks"), told.items.map((one) => h("option", { value: String(one.id) }, `${one.name}${one.answered ? " (labeled)" : ""}`)));
}

function nothing_yet() {
  at("labeling").hidden = true;
  at("empty").hidden = false;
  fill(at("empty"), h("div.empty", {}, h("strong", {}, "There is no model version yet"),
    "Label a few frames in Label Studio, with at least two different options; Espalier learns from them within seconds.",
    project.missing.length ? h("ul.missing", {}, project.missing.map((words) => h("li", {}, words))) : null,
    project.url ? h("p", {}, h("a.button.main", { href: project.url }, "Label in Label Studio")) : null));
}

async function begin() {
  let versions, listed;
  [project, ontology, versions, listed] = await Promise.all([
    get(ofProject()), get(ofProject("/ontology")), get(ofProject("/versions"), { limit: 100 }), get(ofProject("/tasks"), { limit: MOST_LISTED }),
  ]);
  runs = new Runs(project, undone);
  runs.refresh(wanted.get("run"));
  const usable = versions.items.filter((one) => one.size_bytes && !["training", "failed"].includes(one.state));
  if (!usable.length) return nothing_yet();
  if (!project.up_to_date) fill(at("served"), h("span.badge", {}, "learning from new answers"));
  fill(at("version"), usable.map((one) => h("option", { value: one.name }, one.serves ? `${one.name} (serves)` : `${one.name} (${one.state})`)));
  at("version").value = usable.some((one) => one.name === wanted.get("version")) ? wanted.get("version") : usable.find((one) => one.serves)?.name ?? usable[0].name;
  at("range").hidden = ontology.media.every((media) => media.kind === "image");
  arrange(listed);
  filters();
  const seen = show_task();
  await show_version();
  await seen;
  ready = true;
  form.removeAttribute("aria-busy");
  remember();
  const run = wanted.get("run");
  if (run) await watch(await get(`/runs/${encodeURIComponent(run)}`));
}

function filters() {
  for (const part of document.querySelectorAll("[data-filter]")) part.hidden = part.dataset.filter !== at("filter").value;
}

const typed = rested(() => show_task().then(stale, complain), 300);
form.addEventListener("change", (event) => {
  if (event.target.id === "version") show_version().then(stale, complain);
  if (event.target.id === "filter") filters();
  if (event.target.name === "scope") show_task().then(stale, complain);
  stale();
});
at("task").addEventListener("input", typed);
form.addEventListener("submit", busy((event) => (event.submitter?.value === "run" ? start() : preview())));
keys(["p", "preview", () => document.getElementById("preview")?.click()]);
begin().catch(complain);
