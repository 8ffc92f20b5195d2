// Versions side by side: their figures, option by option, with the differences to the first of them.

import { fill, h } from "./dom.js";
import { change, head, name, share } from "./training_words.js";

const FIGURES = ["accuracy", "macro_f1", "roc_auc", "average_precision", "ece", "coverage"];
const LESS_IS_BETTER = new Set(["ece"]);

/** evaluations: of each version its questions, and the part that is looked at. */
export function sideBySide(place, names, evaluations) {
  const parts = evaluations.map(([, part]) => part);
  const line = (words, values, strong = false, less = false) => h("tr", {}, h(strong ? "th" : "td", strong ? { scope: "row" } : {}, words), values.map((value, index) => [
    h("td.number", {}, share(value, null, 1)), index ? h("td.number", {}, change(values[0], value, less)) : null]));
  const rows = FIGURES.map((figure) => line(name(figure), parts.map((one) => one.mean[figure]), true, LESS_IS_BETTER.has(figure)));
  const keys = new Map(evaluations.flatMap(([questions]) => questions.map((question) => [JSON.stringify([question.classification, question.parent]), question])));
  for (const [key, { classification, parent }] of keys) {
    const questions = parts.map((one) => one.questions.find((question) => JSON.stringify([question.classification, question.parent]) === key && question.rows));
    rows.push(line(`${[classification, ...parent].join(" / ")}: F1`, questions.map((one) => one?.macro_f1 ?? null), true));
    const paths = new Set(questions.flatMap((one) => (one?.options ?? []).map((option) => option.path.join(" / "))));
    for (const path of paths) rows.push(line(path, questions.map((one) => one?.options.find((option) => option.path.join(" / ") === path)?.f1 ?? null)));
  }
  const frames = parts.map((one, index) => `${names[index]} on ${one.rows}`).join(", ");
  fill(place,
    h("h3", { id: "compared-title" }, `Side by side: ${names.join(", ")}`),
    h("p.quiet.small", {}, `Judged on frames (${frames}) that each had not learned from; where the numbers differ, they are not the same frames, and the gate's comparison on the same ones counts. Differences are in points, to ${names[0]}.`),
    h("div.scroll", { role: "region", tabindex: "0", "aria-labelledby": "compared-title" }, h("table", { id: "side-by-side" },
      head(["F1 by option", ""], ...names.flatMap((one, index) => (index ? [[one], ["change"]] : [[one]]))), h("tbody", {}, rows))));
}
