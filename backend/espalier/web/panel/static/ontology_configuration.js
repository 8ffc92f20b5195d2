// The labeling configuration: what will hurt later, how it is read, and a check of another one before it is saved.

import { get, ofProject, post } from "./api.js";
import { at, fill, h } from "./dom.js";
import { busy, complain } from "./notices.js";
import { copyable, failing, several } from "./ontology_words.js";

function finding(one) {
  return h("div.note.warn", {}, h("strong", {}, one.control || "The configuration"), " ", one.message, ". ", one.instead ? [h("span.quiet", {}, "Write instead:"), copyable(one.instead)] : null);
}

function skipped(items) {
  return items.length ? h("details", {}, h("summary", {}, `${several(items.length, "control")} cannot be predicted`),
    h("ul", {}, items.map((one) => h("li", {}, h("strong", {}, one.name || one.control), ` (${one.control}): ${one.reason}`)))) : null;
}

export function found(ontology) {
  fill(at("findings"), ontology.findings.length ? ontology.findings.map(finding) : h("p", {}, h("span.badge.good", {}, "well"), " Nothing doubtful is in the labeling configuration."));
  fill(at("skipped"), skipped(ontology.skipped));
}

let todays;

async function configuration() {
  todays ??= get(ofProject("/labeling-configuration"));
  return (await todays).config;
}

function checked(told) {
  const asks = told.asks.length ? `It asks ${told.asks.join(", ")}.` : "Nothing in it can be predicted: add Choices, Taxonomy or TimelineLabels.";
  const changes = told.changes.length
    ? h("div.note", {}, h("strong", {}, "What would be different from today"), h("ul", {}, told.changes.map((one) => h("li", {}, `${one.message} (answers: ${one.answers}; the model ${one.model})`))))
    : h("p.quiet", {}, "Nothing that a model learns from would change.");
  return [h("p", {}, h(`span.badge.${told.asks.length ? "good" : "bad"}`, {}, told.asks.length ? "can be saved" : "not yet"), " ", asks), ...told.findings.map(finding), told.findings.length ? null : h("p.quiet", {}, "Nothing doubtful is in it."), changes, skipped(told.skipped)];
}

export function listen() {
  at("configuration").addEventListener("toggle", () => configuration().then((config) => fill(at("configuration").querySelector("pre"), config || "Label Studio has told none yet.")).catch(complain), { once: true });
  at("check-todays").addEventListener("click", busy(async () => { at("check-config").value = await configuration(); }));
  at("check-form").addEventListener("submit", busy(async () => {
    await post(ofProject("/labeling-configuration/check"), { config: at("check-config").value }).then((told) => fill(at("checked"), checked(told)), failing(at("checked")));
  }));
}
