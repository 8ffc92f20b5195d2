// Frames like other frames: found, looked through, selected over all tabs, and given a class.

import { get, ofProject } from "./api.js";
import { at, fill, h, rested } from "./dom.js";
import { answer } from "./job.js";
import { busy, complain, say } from "./notices.js";
import { keys } from "./page.js";
import { Chosen } from "./similarity_chosen.js";
import { Filters } from "./similarity_filters.js";
import { place } from "./similarity_frame.js";
import { Give, tell } from "./similarity_give.js";
import { Hits, bar } from "./similarity_hits.js";
import { empty, frame, latest } from "./similarity_panel.js";
import { Query } from "./similarity_query.js";

const TABS = { search: "Search", map: "Map", duplicates: "Duplicates", pairs: "Pairs", clusters: "Clusters", outliers: "Outliers", discover: "Discover", anomalies: "Anomalies" };
const asked = new URLSearchParams(location.search);
const chosen = new Chosen();
const panels = {}; // by tab: {place, view, run}
let tab = asked.get("tab") in TABS ? asked.get("tab") : "search", k = Number(asked.get("k")) || 60, status = null, found = null;

const [{ url = "" }, ontology] = await Promise.all([get(ofProject()), get(ofProject("/ontology"))]).catch((error) => {
  fill(at("results"), h("p.note.bad", {}, error.message));
  throw error;
});
at("filters-box").open = innerWidth >= 960;
const query = new Query(asked, (byPerson) => {
  if (byPerson) at("follow").checked = false;
  remember();
  open("search");
});
const filters = new Filters(ontology, asked, () => {
  remember();
  for (const panel of Object.values(panels)) panel.stale = true;
  panels[tab]?.run(false);
});
const give = new Give({ chosen, ontology, url, search: () => tab === "search" ? found ?? undefined : undefined, done(run, tasks) {
  tell(run, tasks);
  panels[tab].run(false);
} });
const on = {
  like: (hit) => query.like(hit),
  more: (hit) => query.add(hit, 1),
  less: (hit) => query.add(hit, -1),
};
const context = { chosen, url, give, on, filters, ontology, async frames() {
  await ready;
  return status?.frames ?? 0;
} };

function remember() {
  const here = new URL(location.href), kept = ["project", "embed", "method"].map((name) => [name, here.searchParams.get(name)]);
  const values = { ...Object.fromEntries(kept), ...(tab === "search" ? {} : { tab }), ...(k === 60 ? {} : { k }), ...query.values, ...filters.values };
  here.search = new URLSearchParams(Object.entries(values).filter(([, value]) => value)).toString();
  history.replaceState(null, "", here);
}

function searchPanel() {
  const head = h("div"), grid = h("div"), panel = frame(head, grid);
  const view = new Hits(grid, { chosen, url, on, extra: (hit) => ({ score: found ? hit.score : undefined }) });
  const run = latest(panel, async (isLast, progress) => {
    const conditions = filters.conditions, wanted = query.request;
    fill(progress, h("p.quiet", {}, "Searching…"));
    const body = wanted ? { query: wanted, k, ...(conditions ? { conditions } : {}) } : { order: "most", k: 24, ...(conditions ? { conditions } : {}) };
    const told = await answer(ofProject(wanted ? "/search" : "/outliers"), body, progress);
    if (!isLast()) return;
    fill(progress);
    found = wanted ? body : null;
    const most = h("select", { "aria-label": "How many", onchange: (event) => {
      k = Number(event.target.value);
      remember();
      run();
    } }, [...new Set([20, 60, 200, 1000, k])].sort((a, b) => a - b).map((one) => h("option", { value: String(one), selected: one === k }, `${one} hits`)));
    const words = wanted ? `The ${told.hits.length} most alike; ${told.searched === told.of ? `all ${told.of}` : `${told.searched} of ${told.of}`} frames were searched.` : "Some typical frames to begin with: ≈ shows what is like one of them.";
    fill(head, told.hits.length ? bar(view, words, wanted ? [" ", most] : null) : empty(told, conditions));
    await view.show(told.hits);
    if (wanted) readState(told.index);
  });
  return { panel, view, run };
}

async function open(name) {
  tab = name;
  remember();
  for (const button of at("tabs").children) {
    button.setAttribute("aria-selected", String(button.dataset.tab === name));
    button.tabIndex = button.dataset.tab === name ? 0 : -1;
  }
  for (const [one, panel] of Object.entries(panels)) panel.panel.hidden = one !== name;
  const made = panels[name] ?? (name === "search" ? searchPanel() : name === "map" ? (await import("./similarity_map.js")).mapPanel(context) : (await import("./similarity_lists.js")).listPanel(name, context));
  const isNew = !panels[name];
  if (isNew) {
    panels[name] = made;
    Object.assign(made.panel, { id: `panel-${name}`, hidden: tab !== name });
    made.panel.setAttribute("role", "tabpanel");
    made.panel.setAttribute("aria-label", TABS[name]);
    at("results").append(made.panel);
  }
  at("query").hidden = name !== "search" && innerWidth < 960;
  if (isNew || name === "search" || panels[name].stale) panels[name].run(false);
  panels[name].stale = false;
}

function readState(index) {
  const recall = index.recall === null || index.recall === undefined ? "" : `, finds ${(100 * index.recall).toFixed(1)} % of the nearest`;
  at("state").textContent = `${index.vectors} frames · ${index.kind} search${recall}`;
  at("state").title = [status ? `by ${status.encoder}` : "", index.reason].filter(Boolean).join("; ");
}

async function readStatus() {
  status = await answer(ofProject("/index"), null, h("div"));
  readState({ ...status.index, vectors: status.frames });
  at("of-text").hidden = !status.reads_text;
  at("no-text").hidden = status.reads_text;
  at("no-text").textContent = `The encoder ${status.encoder} knows no words: to search by text set ESPALIER_ENCODER to one that does, such as open_clip, and embed the project with it.`;
  const left = status.of_tasks - status.embedded_tasks;
  const may = document.body.dataset.role !== "viewer";
  fill(at("embedding"), left > 0 ? h("div.note.warn.row.between", {},
    h("span", {}, h("strong", {}, `${left} of ${status.of_tasks} tasks are not embedded yet`), ", so their frames cannot be found."),
    may ? h("button", { type: "button", onclick: busy(async () => {
      const progress = h("div", {}, "Embedding…");
      fill(at("embedding"), h("div.note", {}, progress));
      try {
        const done = await answer(ofProject("/embeddings"), {}, progress);
        say(`${done.frames} frames embedded now${done.problems.length ? `; some could not be read: ${done.problems[0]}` : ""}`, done.problems.length ? "bad" : "good");
      } finally {
        await readStatus();
      }
      panels[tab].run(false);
    }) }, "Embed everything") : "Ask an annotator to embed them.") : null);
}

const ready = readStatus().catch((error) => fill(at("embedding"), h("p.note.bad", {}, error.message)));
for (const [name, title] of Object.entries(TABS)) {
  at("tabs").append(h("button", { type: "button", role: "tab", dataset: { tab: name }, "aria-controls": `panel-${name}`, onclick: () => open(name).catch(complain) }, title));
}
at("tabs").addEventListener("keydown", (event) => {
  const names = Object.keys(TABS), step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  event.stopPropagation();
  const next = names[(names.indexOf(tab) + step + names.length) % names.length];
  open(next).catch(complain);
  at("tabs").querySelector(`[data-tab="${next}"]`).focus();
});

const view = () => panels[tab]?.view, current = () => view()?.hit;
const keep = () => {
  const now = view();
  if (now?.keep) return now.keep().catch(complain);
  if (now?.hit && !chosen.has(now.hit.id)) now.toggle();
  return now?.move(1, 0);
};
const dialog = keys(
  ["ArrowLeft", "the frame before", () => view()?.move(-1, 0)], ["ArrowRight", "the next frame", () => view()?.move(1, 0)],
  ["ArrowUp", "up, or the group before", () => view()?.move(0, -1)], ["ArrowDown", "down, or the next group", () => view()?.move(0, 1)],
  ["Space", "select", () => {}],
  ["+", "more like this", () => current() && query.add(current(), 1)], ["-", "less like this", () => current() && query.add(current(), -1)],
  ["l", "only like this", () => current() && query.like(current())],
  ["o", "open in Label Studio", () => current() && url && window.open(place(current(), url), "_blank", "noopener")],
  ["k", "keep: select it, in lists all of the group", keep],
  ["x", "reject: set it aside, in lists", () => panels[tab]?.reject?.(view()?.group ?? current())],
  ["g", "give a class", () => give.focus()], ["Escape", "select none", () => chosen.clear()],
);
addEventListener("keydown", (event) => {
  // Where a button has the focus, the space is its own.
  if (event.key !== " " || event.target.closest?.("button, a, input, select, textarea, summary, dialog") || !current()) return;
  event.preventDefault();
  view().toggle();
});
at("help").addEventListener("click", () => dialog.showModal());
addEventListener("message", (event) => {
  if (event.origin !== location.origin || event.data?.espalier !== "frame" || !at("follow").checked) return;
  const { task, frame, tag } = event.data;
  if (Number.isInteger(task)) follow({ task, frame: frame || undefined, tag: tag || undefined });
});
const follow = rested((example) => query.like(example, false), 250);

open(tab).catch(complain);
