// What was learned, step by step: a slider over the evaluation steps, and all figures of the step where it stands.

import { ofProject } from "./api.js";
import { at, fill, h } from "./dom.js";
import { draw } from "./figure.js";
import { answer } from "./job.js";
import { complain } from "./notices.js";
import { head, name, share } from "./training_words.js";

const joined = (path) => path.join(" / ");

/** A slider over `rows`, each {step, and figures by name}; `stands(index)` hears where. It begins at the best F1. */
function slider(place, rows, stands = () => {}) {
  if (rows.length < 2) return fill(place);
  const names = Object.keys(rows[0]).filter((key) => key !== "step"), told = h("div.row", { role: "status" });
  const key = ["F1, validation", "macro_f1"].find((one) => one in rows[0]), id = `${place.id}-slider`;
  const best = key ? rows.reduce((top, row, index) => ((row[key] ?? 0) > (rows[top][key] ?? 0) ? index : top), 0) : rows.length - 1;
  const range = h("input", { type: "range", min: "0", max: String(rows.length - 1), value: String(best), id, style: { width: "100%" } });
  const tell = () => {
    const index = Number(range.value), row = rows[index];
    range.setAttribute("aria-valuetext", `step ${row.step}`);
    const value = (key) => (/accuracy|f1/i.test(key) ? share(row[key]) : row[key] === null || row[key] === undefined ? "–" : Number(row[key]).toPrecision(3));
    fill(told, h("strong", {}, `Step ${row.step}${key && index === best ? " (best F1)" : ""}`), names.map((key) => h("span", {}, `${name(key).replaceAll("_", " ")} ${value(key)}`)));
    stands(index);
  };
  range.addEventListener("input", tell);
  fill(place, h("div.field", {}, h("label", { for: id }, "Evaluation step"), range), told);
  tell();
  return range;
}

/** Of one question: the figures of all, by option, and what was taken for what. `part` as the page's tabs name it; `wanted()`: still. */
export async function ofQuestion(place, version, question, part, wanted) {
  const { learning } = question, parts = ["train", "validation"].filter((one) => learning?.[one]);
  const rows = (learning?.steps ?? []).map((step, index) => Object.fromEntries([["step", step],
    ...parts.flatMap((one) => [["loss", "loss"], ["accuracy", "accuracy"], ["macro_f1", "F1"]].map(([key, said]) => [`${said}, ${one}`, learning[one][key][index]]))]));
  const more = h("div.stack", { dataset: { step: "" } });
  let told = null, now = 0;
  const range = slider(place, rows, (index) => {
    now = index;
    if (told) fill(more, shown(told, part, index));
  });
  if (!range) return;
  place.append(more);
  const query = new URLSearchParams({ classification: question.classification, parent: joined(question.parent) });
  const found = await answer(`${ofProject(`/versions/${encodeURIComponent(version)}/step-figures`)}?${query}`, null, h("div"));
  if (!wanted() || found.steps.length !== rows.length) return;
  told = found;
  fill(more, shown(told, part, now));
}

function shown(told, wanted, index) {
  const part = told.parts[wanted] ? wanted : told.parts.validation ? "validation" : "train", of = told.parts[part];
  const cell = (figure, option) => h("td.number", {}, share(of[figure][index][option]));
  const options = told.options.map((path, option) => h("tr", {}, h("td", {}, joined(path)), h("td.number", {}, String(of.positives[option])), ["precision", "recall", "f1"].map((figure) => cell(figure, option))));
  const names = told.shown.map((option) => (option < told.options.length ? joined(told.options[option]) : "none")), matrix = of.confusion[index];
  const rows = matrix.map((row, truth) => {
    const whole = Math.max(1, row.reduce((sum, count) => sum + count, 0));
    return h("tr", {}, h("th", { scope: "row" }, names[truth]), row.map((count) => h("td", { style: { "--share": `${Math.round(40 * count / whole)}%` } }, count ? String(count) : "")));
  });
  const about = `At this step, on ${of.frames} ${part === "train" ? "frames that it learned from" : "frames that it did not learn from"}; each is answered by its likeliest option, without cutoffs.`;
  return [h("p.quiet.small", {}, about),
    h("div.scroll", { role: "region", tabindex: "0", "aria-label": "Options at this step" }, h("table", {}, head(["Option", ""], ["frames"], ["precision"], ["recall"], ["f1"]), h("tbody", {}, options))),
    h("div.scroll", { role: "region", tabindex: "0", "aria-label": "Confusion matrix at this step" }, h("table.matrix", {}, h("thead", {}, h("tr", {}, h("td", {}, "holds \\ said"), names.map((one) => h("th", { scope: "col" }, one)))), h("tbody", {}, rows)))];
}

/** Of a fine-tuned version how its network learned: the curves, and their figures at a step. */
export async function ofNetwork(version, wanted) {
  const told = await answer(ofProject(`/versions/${encodeURIComponent(version)}/steps`), null, h("div"));
  document.getElementById("drawn-tuning")?.remove();
  if (told.tuning.length < 2 || !wanted()) return;
  const plot = h("div", { dataset: { plot: "" } }), place = h("div", { id: "tuning-step" });
  at("drawn-learning").before(h("figure.drawn", { id: "drawn-tuning" }, h("figcaption", {}, h("h3", {}, "Fine-tuning"), h("p.quiet.small", {}, "How the network got better, step by step.")), plot, place));
  slider(place, told.tuning);
  const { figure } = await answer(ofProject(`/versions/${encodeURIComponent(version)}/learning`), null, h("div"));
  if (figure && wanted()) draw(plot, figure).catch(complain);
}
