// How an ontology is said to people: options, conditions, questions, where a setting was written.

import { get, ofProject } from "./api.js";
import { fill, h } from "./dom.js";
import { finished } from "./job.js";
import { say } from "./notices.js";

export const may = (role) => ["annotator", "manager"].indexOf(document.body.dataset.role) >= ["annotator", "manager"].indexOf(role);

export const path = (option) => option.join(" / ");

export function several(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

function one(condition) {
  const names = condition.classifications.join(" or ");
  if (!condition.options) return condition.negated ? `${names} is not answered` : `${names} is answered`;
  return `${names} is ${condition.negated ? "not " : ""}${condition.options.map(path).join(" or ")}`;
}

/** "asked where Weather is Rain"; "" where it is asked everywhere. */
export function where(classification) {
  return classification.conditions.length ? `asked where ${classification.conditions.map(one).join(" and ")}` : "";
}

const KIND = { single: "one answer", multiple: "any number of answers", taxonomy: "paths of a tree", timeline: "labels" };
const SCOPE = { media: "for the whole picture or video", item: "for each picture of a sequence", range: "over ranges of frames" };

/** What a worker may have to look up first. */
export async function asked(path, query) {
  return finished(await get(ofProject(path), query), h("div"));
}

/** For the end of a promise: what went wrong is said where its answer would be. */
export const failing = (place) => (error) => fill(place, h("p.note.bad", {}, error.message));

/** heads: words, of numbers with "#" before them, and of columns without words with "~" before what they are. */
export function table(heads, rows) {
  const head = (words) => (words[0] === "~" ? h("th", {}, h("span.off-screen", {}, words.slice(1))) : h(words[0] === "#" ? "th.number" : "th", { scope: "col" }, words.replace("#", "")));
  return h("div.scroll", {}, h("table", {}, h("thead", {}, h("tr", {}, heads.map(head))), h("tbody", {}, rows)));
}

export function form(classification) {
  return `${KIND[classification.kind]} ${SCOPE[classification.scope]}${classification.required ? ", required" : ""}`;
}

export const ORIGIN = { project: "this project (panel or command)", "espalier.yaml": "espalier.yaml", "labeling configuration": "labeling configuration" };

export const SETTING = {
  model_plugin: "Plugin",
  model_parameters: "Parameters",
  model_score_threshold: "Score threshold",
  model_negatives: "What unlabeled stretches say",
  model_encoder: "Encoder of the whole project",
};

/** Text with a button that copies it. */
export function copyable(text, words = "Copy") {
  const copy = h("button.small", { type: "button", "aria-label": `${words}: ${text}` }, words);
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      say("Copied", "", 2000);
    } catch {
      getSelection().selectAllChildren(code); // without the right to the clipboard, it is at least marked
      say("Press Ctrl+C: it is marked", "warn");
    }
  });
  const code = h("code", {}, text);
  return h("div.instead", {}, code, copy);
}
