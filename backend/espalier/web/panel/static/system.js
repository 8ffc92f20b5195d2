// What runs, waits and ended; who works; what lies on the disk; and whether everything answers.

import { get, post } from "./api.js";
import { at, duration, fill, given, h, when } from "./dom.js";
import { answer } from "./job.js";
import { busy, complain } from "./notices.js";

const EVERY_MS = 2000;
const MEANING = {
  prediction: "predictions, and short questions of the pages",
  runs: "automated labeling, previews, lists",
  training: "learning from new answers",
  tuning: "fine-tuning of networks",
  search: "similarity search",
};
const may = { annotator: ["annotator", "manager"], manager: ["manager"] };
const isAllowed = (role) => may[role].includes(document.body.dataset.role);

function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  for (; bytes >= 1000 && unit < units.length - 1; unit++) bytes /= 1000;
  return `${bytes.toFixed(unit && bytes < 100 ? 1 : 0)} ${units[unit]}`;
}

function head(...names) {
  return h("thead", {}, h("tr", {}, names.map((name) => h(name.startsWith("#") ? "th.number" : "th", { scope: "col" }, name.replace("#", "")))));
}

function showLines(lines, workers) {
  const rows = lines.map((line) => {
    const served = workers.filter((worker) => worker.lines.includes(line.line));
    const state = served.length ? "good" : line.waiting ? "bad" : "warn";
    const words = served.length ? `${served.length} at work` : "nobody";
    return h("tr", {},
      h("td", {}, h("strong", {}, line.line), " ", h("span.quiet.small", {}, MEANING[line.line] ?? "")),
      h("td.number", {}, String(line.waiting)),
      h("td", { title: served.map((worker) => worker.name).join("\n") }, h(`span.badge.${state}`, {}, words)));
  });
  const idle = lines.filter((line) => line.waiting && !workers.some((worker) => worker.lines.includes(line.line)));
  fill(at("lines"),
    idle.length ? h("p.note.bad", {}, "Jobs wait that nobody takes: start ", h("code", {}, "espalier serve"), ", or ", h("code", {}, "espalier worker"), " on another machine.") : null,
    h("table", {}, head("Line", "#Waiting", "Workers"), h("tbody", {}, rows)));
}

const KIND = { running: "good", queued: "", done: "good", failed: "bad", cancelled: "warn" };
const open = new Map(); // bars of running jobs, by job, so that they are not made anew at every look

function bar(job) {
  const known = open.get(job.id) ?? { meter: h("progress.meter", { "aria-label": job.what }), words: h("span.quiet.small") };
  open.set(job.id, known);
  if (job.total) {
    known.meter.max = job.total;
    known.meter.value = job.done;
  } else known.meter.removeAttribute("value");
  known.words.textContent = [job.message, job.total ? `${job.done} of ${job.total}` : "", job.eta_s ? `about ${duration(job.eta_s)} left` : ""].filter(Boolean).join(" · ");
  return [known.meter, known.words];
}

function jobRow(job) {
  const running = job.state === "running", alive = running || job.state === "queued";
  const cancel = alive && isAllowed("annotator")
    ? h("button", { type: "button", dataset: { cancel: job.id }, onclick: busy(() => post(`/jobs/${encodeURIComponent(job.id)}/cancel`).then(look)) }, "Cancel") : null;
  return h("tr", { dataset: { job: job.id } },
    h("td", {}, h(`span.badge${KIND[job.state] ? `.${KIND[job.state]}` : ""}`, {}, job.state)),
    h("td", {}, job.what, h("div", {}, running ? bar(job) : h("span.quiet.small", {}, job.message))),
    h("td", {}, job.line),
    h("td.small", {}, when(job.ended_at || job.began_at || job.created_at)),
    h("td", {}, h("div.row", {}, cancel, h("button.plain", { type: "button", dataset: { log: job.id }, onclick: () => showLog(job) }, "Log"))));
}

let shown = "";

function showJobs(jobs) {
  const ended = JSON.stringify(jobs);
  if (ended === shown) return; // a person may be reading, or about to press a button
  shown = ended;
  for (const id of open.keys()) if (!jobs.some((job) => job.id === id)) open.delete(id);
  const focused = document.activeElement?.dataset ?? {};
  const table = jobs.length
    ? h("div.scroll", {}, h("table", {}, head("State", "What", "Line", "When", ""), h("tbody", {}, jobs.map(jobRow))))
    : h("div.empty", {}, h("strong", {}, "Nothing to do"), "Jobs appear here when somebody labels, trains, or starts a run.");
  fill(at("jobs"), table);
  for (const name of ["cancel", "log"]) if (focused[name]) at("jobs").querySelector(`[data-${name}="${CSS.escape(focused[name])}"]`)?.focus();
}

async function showLog(job) {
  const { items } = await get(`/jobs/${encodeURIComponent(job.id)}/log`).catch((error) => (complain(error), { items: [] }));
  at("log-title").textContent = job.what;
  const lines = items.map((line) => `${new Date(line.at).toLocaleTimeString()}  ${line.sentence}`).join("\n");
  fill(at("log-lines"), items.length ? h("pre", { tabindex: "0", "aria-label": "Log" }, lines) : h("p.quiet", {}, "Nothing was logged while it ran."));
  at("log").showModal();
}

async function look() {
  const [lines, workers, jobs] = await Promise.all([
    get("/queue"), get("/workers"), get("/jobs", { limit: 60, short: at("short").checked ? "true" : "" })]);
  showLines(lines.items, workers.items);
  showJobs(jobs.items);
}

async function watch() {
  if (document.visibilityState === "visible") await look().catch(() => {}); // the next look may find it again
  setTimeout(watch, EVERY_MS);
}

async function showStorage(project) {
  const stored = await answer(`/projects/${project}/storage`, null, at("storage"));
  const rows = stored.items.map((one) => h("tr", {}, h("td", {}, h("strong", {}, one.name), h("div.quiet.small", {}, one.meaning)), h("td.number", {}, String(one.files)), h("td.number", {}, size(one.size_bytes))));
  fill(at("storage"), h("table", {}, head("What", "#Files", "#Size"), h("tbody", {}, rows)), h("p.quiet", {}, `${size(stored.free_bytes)} are free beside it.`));
}

async function examine(project) {
  const { items } = await answer(`/projects/${project}/check-installation`, {}, at("checks"));
  const rows = items.map((check) => h("tr", {},
    h("td", {}, h(`span.badge.${{ ok: "good", warning: "warn", failed: "bad" }[check.state]}`, {}, check.state)),
    h("td", {}, h("strong", {}, check.name), h("div.small", {}, check.found), check.remedy ? h("div.small.quiet", {}, `→ ${check.remedy}`) : null)));
  fill(at("checks"), h("table", {}, h("tbody", {}, rows)));
}

const { project } = given();
at("log-close").addEventListener("click", () => at("log").close());
at("short").addEventListener("change", () => look().catch(complain));
watch();
if (project !== null) {
  document.getElementById("examine")?.addEventListener("click", busy(() => examine(project)));
  showStorage(project).catch(complain);
}
