// What somebody should look at: lists of tasks, each with its reason, worked through by keys, or written to Label Studio.

import { all, get, ofProject, project } from "./api.js";
import { at, fill, h, when } from "./dom.js";
import { answer, show } from "./job.js";
import { busy, complain, say } from "./notices.js";
import { keys } from "./page.js";
import { Grid } from "./pictures.js";
import { LISTS } from "./quality_lists.js";

const mayDecide = document.body.dataset.role !== "viewer";
const here = new URL(location.href);
const tabs = [...document.querySelectorAll("[data-list]")];
let name = "", told = null, items = [], current = 0, turn = 0, labelStudio = "";
const grid = new Grid(at("grid"), { width: 165, height: 286, draw });
for (const [attribute, value] of [["role", "listbox"], ["aria-label", "Tasks"]]) grid.list.setAttribute(attribute, value);

function draw(index) {
  const one = items[index];
  const item = h("li.picture", { role: "option", tabindex: index === current ? "0" : "-1", "aria-selected": String(index === current), title: one.words, dataset: { key: one.key } }, one.tile());
  if (index === current) item.classList.add("current");
  return item;
}

/** What was put aside here, in this browser. Answers that are in doubt are settled in the project itself. */
const aside = {
  get: () => new Set(JSON.parse(localStorage.getItem(`espalier-aside/${project}/${name}`) ?? "[]")),
  set: (keys) => localStorage.setItem(`espalier-aside/${project}/${name}`, JSON.stringify([...keys])),
};

async function go(index) {
  if (!items.length) return;
  const before = current;
  current = Math.min(Math.max(0, index), items.length - 1);
  grid.redraw(before);
  grid.redraw(current);
  await grid.reveal(current);
  tell();
}

function tell() {
  at("count").textContent = items.length ? `${current + 1} of ${items.length}` : "";
  for (const id of ["open", "settle"]) if (document.getElementById(id)) at(id).disabled = !items.length;
}

async function showItems() {
  const list = LISTS[name], hidden = aside.get(), everything = list.items(told);
  items = everything.filter((one) => !hidden.has(one.key));
  current = Math.min(current, Math.max(0, items.length - 1));
  const put = everything.length - items.length;
  at("again").hidden = !put;
  at("again").textContent = `Show ${put} put aside`;
  at("nothing").hidden = items.length > 0;
  const [title, words] = put ? ["All of it is put aside", "Show it again above, or choose another list."] : list.empty;
  fill(at("nothing"), h("strong", {}, title), words);
  at("about").textContent = [list.about, told.note ? `It was ${told.note}.`.replace("It was outliers are", "Outliers are").replace(/^It was (\d)/, "$1") : ""].join(" ");
  if (document.getElementById("write")) at("write").hidden = !list.kind || !items.length;
  await grid.show(items.length);
  tell();
}

async function look() {
  const mine = ++turn, list = LISTS[name];
  fill(at("grid").querySelector("ul"));
  items = [];
  await grid.show(0);
  tell();
  at("nothing").hidden = true;
  at("sizing").hidden = !list.kind;
  if (document.getElementById("write")) at("write").hidden = true;
  at("about").textContent = list.about;
  if (document.getElementById("settle")) fill(at("settle"), `${list.settle} `, h("kbd", {}, "s"));
  fill(at("working"), h("p.quiet", {}, "Looking…"));
  showWritten().catch(complain);
  try {
    const found = await answer(list.kind ? ofProject(`/lists/${name}?count=${at("size").value}`) : ofProject("/quality"), null, at("working"));
    if (mine !== turn) return;
    told = found;
    current = 0;
    fill(at("working"), (found.problems ?? []).length ? h("details", {}, h("summary", {}, `${found.problems.length} could not be read`), h("ul", {}, found.problems.slice(0, 50).map((words) => h("li", {}, words)))) : null);
    await showItems();
  } catch (error) {
    if (mine !== turn) return;
    fill(at("working"));
    fill(at("nothing"), h("strong", {}, "This list cannot be made yet"), error.message);
    at("nothing").hidden = false;
  }
}

/** The list of this kind that Label Studio shows, and how to take it back. */
async function showWritten() {
  const kind = LISTS[name].kind, place = at("written");
  fill(place);
  if (!kind) return;
  const run = (await all(ofProject("/runs"), {}, 400)).find((one) => one.kind === kind && one.state !== "undone");
  if (!run || kind !== LISTS[name].kind) return;
  const undo = h("button", { type: "button", onclick: busy(async () => {
    const done = await answer(`/runs/${run.id}/undo`, {}, at("working"));
    say(done.message);
    fill(at("working"));
    await showWritten();
  }) }, "Undo");
  fill(place, h("div.note", { dataset: { written: run.id } }, h("div.title", {},
    h("span", {}, `In Label Studio as ${run.version} since ${when(run.created_at)}: ${run.message || run.state}. Sort its tasks by prediction score, lowest first.`), mayDecide ? undo : null)));
}

async function writeList() {
  const started = await answer(ofProject(`/lists/${name}`), { count: Number(at("size").value) }, at("working"));
  const last = await show(started.job, at("working"), { title: "Writing the list to Label Studio" });
  if (last.state === "done") fill(at("working"));
  await showWritten();
}

async function settle() {
  const one = items[current];
  if (!one) return;
  if (name === "revisit") {
    const done = await answer(ofProject("/revisits/settle"), { tasks: one.tasks }, at("working"));
    fill(at("working"));
    say(`${done.settled} answers of task ${one.tasks[0]} are settled`);
    told.entries = told.entries.filter((entry) => entry.task_id !== one.tasks[0]);
  } else aside.set(aside.get().add(one.key));
  await showItems();
  await go(current);
}

function openTask(number = 0) {
  const task = items[current]?.tasks[number];
  if (task && labelStudio) window.open(`${labelStudio}/data?task=${task}`, "_blank", "noopener");
  else if (task) say("This project's address in Label Studio is not known", "warn");
}

async function choose(wanted) {
  name = wanted in LISTS ? wanted : "next";
  for (const tab of tabs) {
    const is = tab.dataset.list === name;
    tab.setAttribute("aria-selected", String(is));
    tab.tabIndex = is ? 0 : -1;
  }
  at("panel").setAttribute("aria-labelledby", `tab-${name}`);
  here.searchParams.set("list", name);
  history.replaceState(null, "", here);
  await look();
}

for (const [place, tab] of tabs.entries()) {
  tab.addEventListener("click", () => choose(tab.dataset.list).catch(complain));
  tab.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    tabs[(place + by + tabs.length) % tabs.length].focus();
  });
}
const help = keys(
  ["ArrowLeft", "to the one before", () => go(current - 1)], ["ArrowRight", "to the next", () => go(current + 1)],
  ["ArrowUp", "one row up", () => go(current - grid.columns)], ["ArrowDown", "one row down", () => go(current + grid.columns)],
  ["o", "open in Label Studio", () => openTask()], ["2 / 3 / 4", "of duplicates, open that one", (event) => openTask(Number(event.key) - 1)],
  ...(mayDecide ? [["s", "settled: it is right, or put aside", () => settle().catch(complain)]] : []),
  ["?", "these keys", () => {}]);
at("help").addEventListener("click", () => help.showModal());
grid.list.addEventListener("click", (event) => {
  const item = event.target.closest("li");
  if (item) go(Number(item.dataset.index));
});
grid.list.addEventListener("dblclick", () => openTask());
grid.list.addEventListener("keydown", (event) => event.key === "Enter" && openTask());
at("open").addEventListener("click", () => openTask());
at("size").addEventListener("change", () => look().catch(complain));
at("again").addEventListener("click", () => {
  aside.set([]);
  showItems().catch(complain);
});
if (mayDecide) {
  at("settle").addEventListener("click", busy(settle));
  at("write").addEventListener("click", busy(writeList));
}
labelStudio = (await get("/projects", { limit: 500 })).items.find((one) => String(one.id) === project)?.url ?? "";
choose(here.searchParams.get("list") ?? "next").catch(complain);
