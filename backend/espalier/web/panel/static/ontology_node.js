// One question: what predicts it, what is set and where that was written, a form to set it, and its cutoffs.

import { ofProject, put, remove } from "./api.js";
import { fill, h } from "./dom.js";
import { finished } from "./job.js";
import { busy, say } from "./notices.js";
import { cutoffs } from "./ontology_cutoffs.js";
import { Parameters } from "./ontology_form.js";
import { ORIGIN, SETTING, form, may, several, table, where } from "./ontology_words.js";

const NEGATIVES = {
  auto: "by the labels: whole videos where most is labeled", all: "all of it: no label", span: "no label, between the first and the last", none: "nothing: nobody looked there",
};
const PRECEDENCE = ["this project", "espalier.yaml", "labeling configuration"];

function parsed(text) {
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" ? value : {};
  } catch {
    return {};
  }
}

export class Node {
  /** told(settings): what is in force after something was chosen. */
  constructor(place, { ontology, plugins, counts, told }) {
    Object.assign(this, { place, ontology, told, counts, classifiers: plugins.filter((one) => one.role === "classifier") });
    this.settings = [];
    this.version = null;
  }

  get own() {
    return this.settings.filter((one) => one.classification === this.classification.name);
  }

  show(classification, option = null) {
    this.classification = classification;
    this.option = option;
    this.draw();
  }

  draw() {
    const { classification: one } = this;
    const plugin = this.own.find((each) => each.name === "model_plugin");
    this.chosen = plugin?.value ?? this.classifiers.find((each) => each.usual)?.name ?? "linear";
    fill(this.place,
      h("div.stack", {},
        h("h2", { id: "node-title" }, one.name),
        h("p.quiet", {}, [form(one), where(one)].filter(Boolean).join("; ")),
        this.lacking(), this.state()),
      h("h3", {}, "What is set, and where"),
      this.inForce(),
      h("p.quiet.small", {}, "What is nearer to you holds: ", PRECEDENCE.flatMap((words, at) => [at ? " before " : null, h("span.badge", {}, words)]), ". Reset takes back this project's own."),
      may("manager") ? this.form() : h("p.quiet", {}, "A manager may change it."),
      this.cutoffs ??= h("div.stack"));
    cutoffs(this.cutoffs, one, this.option, this.settings);
  }

  lacking() {
    const counted = this.counts.get(this.classification.name) ?? new Map();
    const lacking = this.classification.options.filter(({ option }) => !counted.get(option.join(" / ")));
    if (this.classification.options_from || !lacking.length || this.chosen === "pretrained") return null;
    const names = lacking.slice(0, 12).map(({ option }) => option.join(" / ")).join(", ");
    const more = lacking.length > 12 ? ` and ${lacking.length - 12} more` : "";
    return h("p.note.warn", {}, `No example yet of ${names}${more}: label some frames with ${lacking.length === 1 ? "it; without, it is" : "them; without, they are"} never predicted.`);
  }

  /** What the served version has made of it. */
  state() {
    const { name } = this.classification, heads = this.version?.metrics?.questions?.filter((one) => one.classification === name) ?? [];
    if (!this.version) return h("p", {}, h("strong", {}, this.chosen), " predicts it after the first training.");
    const lines = heads.flatMap((head) => {
      const where = head.parent.length ? `below ${head.parent.join(" / ")}: ` : "";
      const by = head.plugin || this.chosen, chosen = Object.entries(head.parameters ?? {}).map(([key, value]) => `${key} ${value}`).join(", ");
      const words = head.trained ? `${where}${by} predicts it in ${this.version.name}${chosen ? ` (${chosen})` : ""}` : `${where}not predicted in ${this.version.name}: ${head.reason}`;
      return [h("p", {}, h(`span.badge.${head.trained ? "good" : "warn"}`, {}, head.trained ? "predicted" : "not predicted"), " ", words), ...head.notes.map((note) => h("p.quiet.small", {}, note))];
    });
    if (!lines.length) return h("p", {}, h("span.badge.warn", {}, "not predicted"), ` ${this.version.name} does not know it: the next training will.`);
    return lines;
  }

  inForce() {
    const value = (name, text) => (name === "model_parameters" ? Object.entries(parsed(text)).map(([key, each]) => `${key} = ${each}`).join(", ") || "none" : text);
    const rows = this.own.map((one) => h("tr", { dataset: { setting: one.name } },
      h("th", { scope: "row" }, SETTING[one.name]),
      h("td", {}, value(one.name, one.value)),
      h("td", {}, ORIGIN[one.origin], one.behind.map((other) => h("div.quiet.small", {}, `${ORIGIN[other.origin]}: ${value(one.name, other.value)}`))),
      h("td", {}, one.origin === "project" && may("manager") ? this.reset(one) : null)));
    const usual = this.own.some((one) => one.name === "model_plugin") ? null
      : h("tr", {}, h("th", { scope: "row" }, SETTING.model_plugin), h("td", {}, this.chosen), h("td", {}, "usual: nothing else is written anywhere"), h("td"));
    return table(["Setting", "Value", "Where it is written", "~Reset"], [usual, rows].flat());
  }

  reset(one) {
    const words = SETTING[one.name];
    return h("button", { type: "button", "aria-label": `Reset ${words}`, onclick: busy(async () => {
      await this.keep(remove(`${this.address()}/${encodeURIComponent(one.name)}`), "");
      say(`${words}: what is written elsewhere holds again.`, "good");
    }) }, "Reset");
  }

  address() {
    return ofProject(`/classifications/${encodeURIComponent(this.classification.name)}/settings`);
  }

  async keep(asking) {
    const { items } = await finished(await asking, this.progress ?? h("div"));
    this.settings = items;
    this.told(items);
    this.draw();
  }

  form() {
    const { classification } = this, set = (name) => this.own.find((one) => one.name === name)?.value;
    const select = h("select", { id: "plugin", "aria-describedby": "plugin-about" }, this.classifiers.map((one) => h("option", { value: one.name, selected: one.name === this.chosen, disabled: Boolean(one.error) && one.name !== this.chosen },
      `${one.name}${one.usual ? " (usual)" : ""}${one.error ? " (cannot be loaded)" : ""}`)));
    const about = h("p.note", { id: "plugin-about", role: "status" }), fields = h("div"), applies = h("p.quiet.small");
    let parameters;
    const choose = () => {
      const plugin = this.classifiers.find((one) => one.name === select.value);
      const values = select.value === this.chosen ? parsed(set("model_parameters") ?? "{}") : {};
      parameters = new Parameters(plugin?.properties ?? {}, values);
      about.classList.toggle("bad", Boolean(plugin?.error));
      fill(about, plugin?.error || plugin?.about || "Its author says nothing of it.");
      fill(fields, parameters.element);
      applies.textContent = select.value === "dynamic" && this.chosen !== "dynamic"
        ? "The training that follows at once makes the change; from then on every answer counts within the second, without another training."
        : "A training follows at once; until it is done, what serves now goes on. No restart is needed.";
    };
    select.addEventListener("change", choose);
    choose();
    const threshold = h("input", { id: "threshold", type: "number", min: 0, max: 1, step: "any", value: set("model_score_threshold") ?? "", placeholder: "as trained", "aria-describedby": "threshold-hint" });
    const negatives = classification.kind !== "timeline" ? null : h("select", { id: "negatives", "aria-describedby": "negatives-hint" }, Object.entries(NEGATIVES).map(([name, words]) => h("option", { value: name, selected: name === (set("model_negatives") ?? "auto") }, `${name}: ${words}`)));
    this.progress = h("div");
    return h("form.stack", { id: "node-form", onsubmit: busy(async () => {
      const given = { plugin: select.value }, back = [], kept = parameters.value;
      const own = (name) => this.own.find((one) => one.name === name);
      if (Object.keys(kept).length) given.parameters = JSON.stringify(kept);
      else if (own("model_parameters")?.origin === "project") back.push("parameters");
      else if (own("model_parameters") && select.value === this.chosen) given.parameters = "{}";
      if (threshold.value !== "") given.score_threshold = String(Number(threshold.value));
      else if (own("model_score_threshold")?.origin === "project") back.push("score_threshold");
      if (negatives) given.negatives = negatives.value;
      for (const [name, value] of Object.entries(given)) { // what holds already, wherever it is written, is not written again
        const now = own(`model_${name}`), usual = { plugin: this.chosen, negatives: "auto" }[name];
        if (now ? now.value === value : value === usual) delete given[name];
      }
      if (!Object.keys(given).length && !back.length) return say("Nothing is different from what holds.");
      await this.keep(put(this.address(), { settings: given, taken_back: back }));
      say(`Kept for ${classification.name}. A training was asked for.`, "good");
    }) },
      h("h3", {}, "Change it for this project"),
      h("div.field", {}, h("label", { for: "plugin" }, "Plugin that predicts it"), select),
      about, fields,
      h("div.fields", {},
        h("div.field", {}, h("label", { for: "threshold" }, "Score threshold"), threshold, h("span.hint", { id: "threshold-hint" }, "Answers below it are withheld, unless a cutoff is chosen below.")),
        negatives ? h("div.field", {}, h("label", { for: "negatives" }, "Unlabeled stretches say"), negatives, h("span.hint", { id: "negatives-hint" }, "What frames between labels teach.")) : null),
      h("div.row", {}, h("button.main", {}, "Keep"), applies), this.progress);
  }
}

export function summary(ontology) {
  const options = ontology.classifications.reduce((sum, one) => sum + one.options.length, 0);
  return `${several(ontology.classifications.length, "question")}, ${several(options, "option")}`;
}
