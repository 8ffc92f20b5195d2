// Training: start one, watch it, see how good every version is, and decide which predicts and how sure it must be.

import { all, get, ofProject } from "./api.js";
import { at, fill, h, percent } from "./dom.js";
import { answer } from "./job.js";
import { busy, complain } from "./notices.js";
import { QuestionFigures } from "./training_figures.js";
import { Frames } from "./training_frames.js";
import { actions, compare, evaluation, forget, table } from "./training_versions.js";
import { PARTS, head, share } from "./training_words.js";

const here = new URL(location.href), wanted = here.searchParams;
const state = Object.fromEntries(["version", "classification", "parent", "part", "option", "which", "true", "predicted"].map((name) => [name, wanted.get(name) ?? ""]));
const starting = () => import("./training_start.js"); // comes when somebody starts a training, or one runs
const stepping = () => import("./training_steps.js");
let project, versions = [], found = null, frames, turn = 0;

function remember() {
  for (const [name, value] of Object.entries(state)) value ? wanted.set(name, value) : wanted.delete(name);
  history.replaceState(null, "", here);
}

const look = { at: (version) => lookAt(version).catch(complain), part: () => state.part || "cross" };

async function refresh() {
  versions = await all(ofProject("/versions"), {}, 400);
  project = await get(ofProject());
  const served = versions.find((row) => row.serves);
  fill(at("state"), served ? h("span.badge.good", {}, `${served.name} predicts`) : h("span.badge.warn", {}, "nothing predicts yet"), project.up_to_date ? null : h("span.badge", {}, "learning from new answers"));
  const never = project.classifications.flatMap((one) => one.options.filter((option) => !option.tasks).map((option) => `no example yet of ${one.classification}: ${option.option.join(" / ")}`));
  const missing = [...new Set([...project.missing, ...never])];
  fill(at("missing"), missing.length ? h("div.note.warn", {}, h("strong", {}, "What is missing"), h("ul", {}, missing.slice(0, 12).map((words) => h("li", {}, words))), missing.length > 12 ? `and ${missing.length - 12} more` : null) : null);
  table(versions, state.version, look, changed);
  const tuned = versions.filter((row) => row.state === "training");
  if (tuned.length) starting().then(({ watch }) => tuned.forEach((row) => watch(row.name, changed)), complain);
}

/** Something was promoted, trained or cancelled. */
async function changed(version = null) {
  await refresh();
  const newest = version ?? versions.find((row) => row.serves)?.name;
  if (newest && usable(newest)) await lookAt(newest);
}

function usable(name) {
  return versions.some((row) => row.name === name && row.state !== "training" && row.size_bytes > 0);
}

async function lookAt(version) {
  state.version = version;
  const mine = ++turn, place = at("statistics");
  place.hidden = false;
  table(versions, version, look, changed);
  fill(at("version"), versions.filter((row) => usable(row.name)).map((row) => h("option", { value: row.name, selected: row.name === version }, `${row.name}${row.serves ? " (predicts)" : ""}`)));
  fill(at("about-part"), h("span", {}, "Counting…"));
  const told = await evaluation(version, at("overview"));
  if (mine !== turn) return;
  found = told;
  if (!found.questions.length) {
    at("browser").hidden = true;
    fill(at("about-part"), "Nothing could be judged yet: label a few more frames of each option.");
    return;
  }
  const has = found.questions.some((one) => one.classification === state.classification && one.parent.join(" / ") === state.parent);
  if (!has) Object.assign(state, { classification: found.questions[0].classification, parent: found.questions[0].parent.join(" / "), option: "" });
  fill(at("question"), found.questions.map((one, index) => h("option", { value: String(index), selected: index === number() }, [one.classification, ...one.parent].join(" / "))));
  await Promise.all([lookAtQuestion(), coverage(), learned()]);
}

function number() {
  return Math.max(0, found.questions.findIndex((one) => one.classification === state.classification && one.parent.join(" / ") === state.parent));
}

async function lookAtQuestion() {
  if (!found.parts[state.part]) state.part = "cross";
  remember();
  const part = found.parts[state.part], question = found.questions[number()];
  at("question").value = String(number());
  for (const tab of at("parts").children) {
    tab.setAttribute("aria-selected", String(tab.dataset.part === state.part));
    tab.tabIndex = tab.dataset.part === state.part ? 0 : -1;
  }
  at("part").setAttribute("aria-labelledby", `part-${state.part}`);
  fill(at("about-part"), `${part.rows} ${PARTS[state.part][1]}.`);
  const row = (one, index) => h("tr", { "aria-current": index === number() ? "true" : null },
    h("td", {}, h("button.plain", { type: "button", onclick: () => chooseQuestion(index) }, [one.classification, ...one.parent].join(" / "))),
    h("td.number", {}, String(one.rows)), h("td.number", {}, share(one.accuracy, one.intervals?.accuracy)), h("td.number", {}, share(one.macro_f1, one.intervals?.macro_f1)),
    ["roc_auc", "ece", "coverage"].map((figure) => h("td.number", {}, share(one[figure]))));
  const mean = h("tr", {}, h("th", { scope: "row" }, "Mean"), h("td.number", {}, String(part.rows)), ["accuracy", "macro_f1", "roc_auc", "ece", "coverage"].map((figure) => h("td.number", {}, share(part.mean[figure]))));
  fill(at("overview"), h("div.scroll", { role: "region", tabindex: "0", "aria-label": "All classifications" }, h("table", {},
    head(["Classification", ""], ["frames"], ["accuracy"], ["macro_f1"], ["roc_auc"], ["ece"], ["coverage"]), h("tbody", {}, part.questions.map(row), part.questions.length > 1 ? mean : null))));
  classifierSteps(question);
  const of = { version: state.version, part: state.part, classification: state.classification, parent: state.parent };
  at("browser").hidden = !part.questions[number()].rows;
  const which = state.which === "cell" || !state.which ? (state.which ? "cell" : "wrong") : state.which;
  const shown = [figures.show(of, part.questions[number()], question, state.option, versions.find((row) => row.name === state.version)?.serves)];
  if (!at("browser").hidden) shown.push(frames.look({ ...of, which, true: state.true, predicted: state.predicted }));
  await Promise.all(shown);
}

/** How the classifier did at the evaluation step that the slider stands at. */
function classifierSteps(question) {
  const { version, part } = state;
  stepping().then(({ ofQuestion }) => ofQuestion(at("step"), version, question, part, () => version === state.version && question === found.questions[number()] && part === state.part)).catch(complain);
}

/** Of a fine-tuned version how the network itself learned, in place of the classifiers on top of it. */
async function learned() {
  const version = state.version;
  await (await stepping()).ofNetwork(version, () => version === state.version);
}

async function coverage() {
  const targets = at("precision").value.split(/[,;\s]+/).filter(Boolean).map((text) => Number(text) / 100);
  if (targets.some((one) => !(one > 0 && one < 1))) throw new Error("say percentages below 100, such as 90, 95, 98");
  const query = new URLSearchParams({ precision: targets.map((one) => String(Number(one.toFixed(4)))).join(",") });
  const told = await answer(`${ofProject(`/versions/${encodeURIComponent(state.version)}/coverage`)}?${query}`, null, at("coverage"));
  const cell = (one) => h("td", { title: one.sentence }, one.cutoff === null ? h("span.quiet", {}, "no cutoff promises it") : [h("strong", {}, percent(one.coverage)), h("span.quiet.small", {}, ` at ${one.cutoff.toFixed(2)}`)]);
  const rows = told.classifications.flatMap((one) => [
    one.targets ? h("tr", {}, h("th", { scope: "row" }, one.classification), one.targets.map(cell)) : null,
    ...(one.options ?? []).map((option) => h("tr", {}, h("td", {}, option.option.join(" / ")), option.targets.map(cell)))]);
  const first = told.classifications.flatMap((one) => (one.targets ?? [])).find((one) => one.reached);
  fill(at("coverage"), first ? h("p", {}, `For instance: ${first.sentence}.`) : null,
    h("table", {}, head(["Frames labeled for you", ""], ...targets.map((one) => [`right at least ${percent(one, one * 100 % 1 ? 1 : 0)}`, ""])), h("tbody", {}, rows)));
}

function chooseQuestion(index) {
  const one = found.questions[index];
  Object.assign(state, { classification: one.classification, parent: one.parent.join(" / "), option: "", which: "", true: "", predicted: "" });
  lookAtQuestion().catch(complain);
}

const figures = new QuestionFigures({
  cell: (truth, predicted) => {
    frames.look({ ...frames.of, which: "cell", true: truth, predicted }).catch(complain);
    at("browser").scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  },
  kept: async () => {
    forget(state.version);
    found = await evaluation(state.version);
    await lookAtQuestion();
  },
  chose: (option) => {
    state.option = option;
    remember();
  },
});

fill(at("parts"), Object.entries(PARTS).map(([part, [words, meaning]]) =>
  h("button", { type: "button", role: "tab", id: `part-${part}`, dataset: { part }, title: meaning, "aria-controls": "part", "aria-selected": "false", onclick: () => choosePart(part) }, words)));
at("parts").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key], names = Object.keys(PARTS);
  if (!step) return;
  const next = names[(names.indexOf(state.part) + step + names.length) % names.length];
  at(`part-${next}`).focus();
  choosePart(next);
});
function choosePart(part) {
  Object.assign(state, { part, which: "", true: "", predicted: "" });
  lookAtQuestion().catch(complain);
  compare(versions, part).catch(complain);
}
at("version").addEventListener("change", (event) => look.at(event.target.value));
at("question").addEventListener("change", (event) => chooseQuestion(Number(event.target.value)));
at("targets").addEventListener("submit", busy(coverage));

try {
  await refresh();
  frames = new Frames(project, ({ which, ...cell }) => {
    Object.assign(state, { which, true: cell.true ?? "", predicted: cell.predicted ?? "" });
    remember();
  });
  actions(changed);
  const start = document.getElementById("start"), fillStart = () => start.open && starting().then(({ starts }) => starts(start, project, changed)).catch(complain);
  start?.addEventListener("toggle", fillStart);
  if (start?.open) fillStart();
  const first = usable(state.version) ? state.version : versions.find((row) => row.serves && usable(row.name))?.name ?? versions.find((row) => usable(row.name))?.name;
  if (first) await lookAt(first);
} catch (error) {
  complain(error);
}
