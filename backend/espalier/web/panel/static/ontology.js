// The ontology: what is asked, what predicts it, what is doubtful, what changed, and what to label next.

import { get, ofProject } from "./api.js";
import { at, fill, h, rested } from "./dom.js";
import { busy } from "./notices.js";
import { keys } from "./page.js";
import { found, listen } from "./ontology_configuration.js";
import { forget } from "./ontology_cutoffs.js";
import { Mappings } from "./ontology_mappings.js";
import { Node, summary } from "./ontology_node.js";
import { Tree } from "./ontology_tree.js";
import { asked, failing, may, path, table } from "./ontology_words.js";

const ROLE = { encoder: "sees (encoder)", classifier: "decides (classifier)", index: "finds (index)", tuner: "learns to see (tuner)" };

function remember(name) {
  const here = new URL(location.href);
  here.searchParams.set("classification", name);
  history.replaceState(null, "", here);
}

function listPlugins(items) {
  const rows = items.map((one) => h("tr", { dataset: { plugin: one.name } }, h("td", {}, ROLE[one.role]), h("th", { scope: "row" }, one.name),
    h("td", {}, one.error ? h("span", {}, h("span.badge.bad", {}, "cannot be loaded"), " ", one.error) : one.about || h("span.badge.good", {}, "ready")), h("td.small", {}, `${one.origin} ${one.version}`)));
  fill(at("plugins"), table(["Role", "Name", "What it does", "From"], rows));
}

async function open() {
  const [ontology, project] = await Promise.all([get(ofProject("/ontology")), get(ofProject())]);
  const counts = new Map(project.classifications.map((one) => [one.classification, new Map(one.options.map((each) => [path(each.option), each.tasks]))]));
  fill(at("state"), summary(ontology));
  found(ontology);
  const next = (what) => busy(async () => (await import("./ontology_next.js"))[what](project.url));
  fill(at("next-buttons"), h("button", { type: "button", id: "next-draw", onclick: next("draw") }, "Show some"),
    may("annotator") ? h("button", { type: "button", id: "next-write", onclick: next("write") }, "Write 50 to Label Studio") : null);
  const mappings = new Mappings({ ontology, url: project.url, changed: () => Promise.all([mappings.history(), mappings.changes().catch(noChanges)]) });
  const noChanges = () => mappings.form(); // nothing was trained yet: nothing can have changed since
  mappings.history().catch(failing(at("mappings")));
  if (project.served) mappings.changes().catch(noChanges);
  else noChanges();
  const plugins = asked("/plugins", { wait_s: 15 }).then(({ items }) => (listPlugins(items), items)).catch((error) => (failing(at("plugins"))(error), []));
  const version = project.served ? get(ofProject(`/versions/${encodeURIComponent(project.served)}`)).catch(() => null) : null;
  if (!ontology.classifications.length) {
    fill(at("tree"), h("div.empty", {}, h("strong", {}, "Nothing can be predicted yet"), "Add Choices, Taxonomy or TimelineLabels in Label Studio under Settings › Labeling Interface."));
    return fill(at("node"), h("h2", { id: "node-title" }, "No question"), h("p.quiet", {}, "Below, a configuration can be checked before you save it."));
  }
  let node = null, wanted = new URL(location.href).searchParams.get("classification"), selected = null;
  const draw = rested((classification, option) => node?.show(classification, option), 60);
  const tree = new Tree(at("tree"), { ontology, counts, chosen: (name, option) => {
    selected = [ontology.classifications.find((one) => one.name === name), option];
    remember(name);
    draw(...selected);
  } });
  if (!ontology.classifications.some((one) => one.name === wanted)) wanted = ontology.roots[0] ?? ontology.classifications[0].name;
  tree.show(wanted);
  fill(at("node"), h("h2", { id: "node-title" }, wanted), h("p.quiet", {}, "Reading what is set…"));
  const [items, settings, served] = await Promise.all([plugins, asked("/settings"), version]);
  node = new Node(at("node"), { ontology, plugins: items, counts, told: forget });
  Object.assign(node, { settings: settings.items, version: served });
  node.show(...selected);
}

listen();
const help = keys(
  ["t", "to the tree: arrows move and unfold, Enter selects", () => at("tree").querySelector('[tabindex="0"]')?.focus()],
  ["e", "to the plugin of the selected question", () => document.getElementById("plugin")?.focus()],
  ["n", "what to label next", () => at("next-draw").click()],
);
at("help").addEventListener("click", () => help.showModal());
open().catch((error) => {
  fill(at("state"));
  failing(at("tree"))(error);
});
