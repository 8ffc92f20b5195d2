// Predictions, looked at one by one or many at once: approved, corrected or rejected by a key, then written together.

import { get, ofProject, project } from "./api.js";
import { at, fill, h, rested } from "./dom.js";
import { complain, say } from "./notices.js";
import { keys } from "./page.js";
import { correct } from "./review_correct.js";
import { Decisions } from "./review_decisions.js";
import { Predictions, picture, sentence, where } from "./review_grid.js";
import { earlier, outcome, write } from "./review_write.js";

const FIELDS = ["sort", "classification", "option", "min", "max", "state"];
const mayDecide = document.body.dataset.role !== "viewer";
const here = new URL(location.href);
let sources = [], source = null, ontology = null, decisions = null, labelStudio = "";
const predictions = new Predictions(at("grid"), tell);
const open = (task) => `${labelStudio}/data?task=${task}`;

function keepInAddress() {
  for (const name of FIELDS) {
    const usual = { sort: "unsure", min: "0", max: "100", state: "undecided" }[name] ?? "";
    if (at(name).value === usual) here.searchParams.delete(name);
    else here.searchParams.set(name, at(name).value || "all");
  }
  for (const name of ["run", "version"]) here.searchParams.delete(name);
  here.searchParams.set(source.run ? "run" : "version", source.run ?? source.version);
  history.replaceState(null, "", here);
}

function showOptions(chosen = "") {
  const one = ontology.classifications.find((classification) => classification.name === at("classification").value);
  at("option").disabled = !one;
  fill(at("option"), h("option", { value: "" }, "all"), (one?.options ?? []).map((option) => h("option", { value: option.option.join(" / ") }, option.option.join(" / "))));
  at("option").value = chosen;
}

const asked = () => (source.run ? { run: source.run } : { version: source.version });

async function look() {
  keepInAddress();
  const share = (name) => Math.min(1, Math.max(0, Number(at(name).value) / 100));
  const query = { ...asked(), sort: at("sort").value, classification: at("classification").value, option: at("option").value, min: share("min") || null, max: share("max") < 1 ? share("max") : null, state: at("state").value };
  const first = await predictions.show(query, decisions);
  if (!first) return;
  for (const option of at("state").options) {
    const count = option.value ? first.states[option.value] : Object.values(first.states).reduce((sum, one) => sum + one, 0);
    option.textContent = `${option.textContent.replace(/ \(\d+\)$/, "")} (${count})`;
  }
  const words = first.states.undecided === 0 && at("state").value === "undecided"
    ? "Everything here is decided. Look at another run, or start one under Automated labeling."
    : "No prediction is like that: choose another classification, confidence or state.";
  at("nothing").hidden = first.total > 0;
  at("nothing").textContent = words;
}

function tell() {
  const { total, selected, current } = predictions;
  at("count").textContent = !total ? "none" : selected.size ? `${selected.size} of ${total} selected` : `${current + 1} of ${total}`;
  at("none").disabled = !selected.size;
  if (!mayDecide || !decisions) return;
  const count = decisions.count();
  const parts = Object.entries(count).filter(([, number]) => number).map(([name, number]) => `${number} ${name}`);
  at("write").textContent = parts.length ? `Write ${parts.join(", ")}` : "Nothing decided yet";
  at("write").disabled = !parts.length;
  at("back").disabled = !decisions.past.length;
}

async function decide(said) {
  const meant = predictions.meant();
  if (!meant.length) return;
  const many = predictions.selected.size > 0;
  decisions.decide(meant, said);
  if (many) predictions.selectNone();
  else await predictions.go(predictions.current + 1);
  predictions.redraw();
  tell();
}

async function correctThem() {
  const meant = predictions.meant(), row = predictions.selected.size ? (meant.find((one) => one.answers) ?? predictions.row()) : predictions.row();
  if (!row) return;
  const words = meant.length > 1 ? `What is right for these ${meant.length}?` : `What is right? ${where(row)}, predicted ${sentence(row)}`;
  const answers = await correct(ontology, row, picture(row, 320), words);
  if (answers) await decide({ answers });
  else predictions.grid.reveal(predictions.current);
}

function back() {
  const taken = decisions.back();
  predictions.redraw();
  tell();
  if (taken.length) say(`${taken.length === 1 ? "one decision" : `${taken.length} decisions`} taken back`);
}

async function writeThem() {
  at("write").disabled = true;
  try {
    const runs = await write(asked(), decisions, at("writing"));
    fill(at("writing"), outcome(runs, open));
  } catch (error) {
    complain(error);
  }
  await again();
}

async function again() {
  await Promise.all([look(), earlier(source.version, again)]);
}

async function choose(wanted) {
  source = wanted;
  decisions = new Decisions(`${project}/${source.version}`);
  if (decisions.size) say(`${decisions.size} decisions of before are not written yet`);
  fill(at("writing"));
  await again();
  await predictions.go(0);
}

function openTask() {
  const row = predictions.row();
  if (row && labelStudio) window.open(open(row.task), "_blank", "noopener");
}

function bind() {
  const column = () => predictions.grid.columns;
  const step = (by) => (event) => (event.shiftKey ? predictions.range(predictions.current + by()) : predictions.go(predictions.current + by()));
  const help = keys(
    ["ArrowLeft", "to the one before", step(() => -1)], ["ArrowRight", "to the next", step(() => 1)],
    ["ArrowUp", "one row up", step(() => -column())], ["ArrowDown", "one row down", step(() => column())],
    ["Home", "to the first", () => predictions.go(0)], ["End", "to the last", () => predictions.go(predictions.total - 1)],
    ...(mayDecide ? [["a", "approve", () => decide({ approve: true })], ["r", "reject", () => decide({ reject: true })],
      ["c", "correct", () => correctThem()], ["z", "undo the last decision", back], ["w", "write what was decided", () => at("write").click()]] : []),
    ["o", "open the task in Label Studio", openTask],
    ["Space", "select, or no more", () => {}], ["Shift + arrows, Shift + click", "select a range", () => {}],
    ["Ctrl + A", "select all that the filter shows", () => {}], ["Escape", "select none", () => predictions.selectNone()],
    ["?", "these keys", () => {}]);
  at("help").addEventListener("click", () => help.showModal());
  addEventListener("keydown", (event) => {
    if (event.target.closest?.("input, select, textarea, dialog")) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "a") {
      event.preventDefault();
      predictions.selectAll().catch(complain);
    } else if (event.key === " " && !event.target.closest?.("button, a, summary")) {
      event.preventDefault();
      predictions.toggle();
    }
  });
  at("all").addEventListener("click", () => predictions.selectAll().catch(complain));
  at("none").addEventListener("click", () => predictions.selectNone());
  if (mayDecide) {
    at("approve").addEventListener("click", () => decide({ approve: true }));
    at("reject").addEventListener("click", () => decide({ reject: true }));
    at("correct").addEventListener("click", () => correctThem());
    at("back").addEventListener("click", back);
    at("write").addEventListener("click", () => writeThem().catch(complain));
  }
  const soon = rested(() => look().catch(complain), 250);
  at("filter").addEventListener("input", (event) => {
    if (event.target.id === "classification") showOptions();
    soon();
  });
  at("filter").addEventListener("submit", (event) => event.preventDefault());
  at("source").addEventListener("change", () => choose(sources[Number(at("source").value)]).catch(complain));
}

async function begin() {
  const [told, tree, projects] = await Promise.all([get(ofProject("/predictions/sources")), get(ofProject("/ontology")), get("/projects", { limit: 500 })]);
  sources = told.items;
  ontology = tree;
  labelStudio = projects.items.find((one) => String(one.id) === project)?.url ?? "";
  if (!sources.length) {
    const link = h("a", { href: `label?project=${encodeURIComponent(project)}` }, "Automated labeling");
    fill(at("empty"), h("strong", {}, "Nothing is predicted yet"), "Label a few frames of every class, then start a run under ", link, ": its predictions can be looked at here.").hidden = false;
    return;
  }
  const wanted = here.searchParams;
  const found = Math.max(0, sources.findIndex((one) => (wanted.get("run") ? one.run === wanted.get("run") : wanted.get("version") && one.version === wanted.get("version"))));
  fill(at("source"), sources.map((one, number) => h("option", { value: String(number) }, `${one.version} (${one.predicted} tasks)${one.serves ? ", serves" : one.run ? ", run" : ""}`)));
  at("source").value = String(found);
  at("source").disabled = false;
  fill(at("classification"), h("option", { value: "" }, "all"), tree.classifications.map((one) => h("option", { value: one.name }, one.name)));
  at("review").hidden = false;
  for (const name of FIELDS) {
    if (name === "option") showOptions(wanted.get("option") ?? "");
    else if (wanted.has(name)) at(name).value = wanted.get(name) === "all" ? "" : wanted.get(name);
  }
  bind();
  await choose(sources[found]);
}

begin().catch((error) => {
  complain(error);
  fill(at("empty"), h("strong", {}, "The predictions cannot be shown"), error.message).hidden = false;
});
