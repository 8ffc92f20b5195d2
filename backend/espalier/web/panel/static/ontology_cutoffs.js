// How sure an answer to one question must be: what holds for each option, what that does, and how it is chosen.

import { ofProject, put } from "./api.js";
import { fill, h, percent } from "./dom.js";
import { finished } from "./job.js";
import { busy, say } from "./notices.js";
import { ORIGIN, asked, may, path, table } from "./ontology_words.js";

const CHOICES = { "": "as for the whole project", best_f1: "best balance of precision and recall (F1)", precision: "right at least this often", by_hand: "by hand" };
const WORDS = { best_f1: "best F1", precision: "precision", by_hand: "by hand" };

let known = null;

/** They are asked for anew, at the next question that is shown. */
export function forget() {
  known = null;
}

export async function cutoffs(place, classification, option, settings) {
  place.dataset.of = classification.name;
  fill(place, h("h3", {}, "Cutoffs"), h("p.quiet", {}, "Reading…"));
  try {
    known ??= asked("/cutoffs");
    const now = await known;
    if (place.dataset.of === classification.name) draw(place, classification, option, settings, now);
  } catch (error) {
    known = null;
    fill(place, h("h3", {}, "Cutoffs"), h("p.note.bad", {}, error.message));
  }
}

function origin(policy, classification, name, settings) {
  const own = policy.options?.[`${classification.name}/${name}`], its = policy.classifications?.[classification.name], all = policy.default;
  const chosen = own ?? its ?? all;
  if (chosen) return `${own ? "this option" : its ? "this question" : "the whole project"}: ${WORDS[chosen.strategy]}${chosen.value == null ? "" : ` ${chosen.value}`}`;
  const threshold = settings.find((one) => one.classification === classification.name && one.name === "model_score_threshold");
  return threshold ? `score threshold (${ORIGIN[threshold.origin]})` : "training";
}

function draw(place, classification, option, settings, now) {
  const rows = now.figures.filter((one) => one.classification === classification.name).map((one) => h("tr", { "aria-current": option && path(option) === path(one.option) ? "true" : null },
    h("th", { scope: "row" }, path(one.option)), h("td.number", {}, one.cutoff.toFixed(2)), h("td.number", {}, percent(one.precision)), h("td.number", {}, percent(one.recall)),
    h("td", {}, origin(now.policy, classification, path(one.option), settings))));
  const figures = rows.length
    ? table(["Option", "#Cutoff", "#Right", "#Found", "Chosen by"], rows)
    : h("p.quiet", {}, now.version ? `${now.version} does not predict it yet: there are no cutoffs.` : "There are cutoffs after the first training.");
  fill(place, h("h3", {}, "Cutoffs"),
    h("p.quiet.small", {}, "The confidence under which an option is not answered. A cutoff chosen here comes before the score threshold, and that before what training chose."),
    figures, may("manager") ? chooser(place, classification, option, settings, now) : null);
}

function chooser(place, classification, option, settings, now) {
  const chosen = now.policy.classifications?.[classification.name];
  const select = h("select", { id: "strategy" }, Object.entries(CHOICES).map(([name, words]) => h("option", { value: name, selected: name === (chosen?.strategy ?? "") }, words)));
  const value = h("input", { id: "cutoff-value", type: "number", min: 0, max: 1, step: "any", value: chosen?.value ?? "" });
  const field = h("div.field", {}, h("label", { for: "cutoff-value" }, "Value"), value, h("span.hint", {}, "Between 0 and 1."));
  const fit = () => {
    field.hidden = !["precision", "by_hand"].includes(select.value);
    value.required = !field.hidden;
  };
  select.addEventListener("change", () => {
    value.value = { precision: 0.95, by_hand: 0.5 }[select.value] ?? "";
    fit();
  });
  fit();
  const progress = h("div");
  return h("form.stack", { id: "cutoffs-form", onsubmit: busy(async () => {
    const { [classification.name]: _, ...others } = now.policy.classifications ?? {};
    const options = Object.fromEntries(Object.entries(now.policy.options ?? {}).filter(([name]) => !name.startsWith(`${classification.name}/`)));
    if (select.value) others[classification.name] = { strategy: select.value, value: field.hidden ? null : Number(value.value) };
    const after = await finished(await put(ofProject("/cutoffs"), { policy: { default: now.policy.default ?? null, classifications: others, options } }), progress);
    known = after;
    draw(place, classification, option, settings, after);
    say(`Cutoffs of ${classification.name} are in force now.`, "good");
  }) },
    h("div.fields", {}, h("div.field", {}, h("label", { for: "strategy" }, "Choose cutoffs of this question"), select), field),
    h("div.row", {}, h("button", {}, "Apply"), h("span.quiet.small", {}, "In force at once, without a training. For one option, click into its curve on the Training page.")), progress);
}
