// What each figure means, in a sentence; and a figure as it stands on the page.

import { h, percent } from "./dom.js";

const MEANING = {
  frames: ["Frames", "Frames that people answered and that were judged here."],
  accuracy: ["Accuracy", "Share of the frames whose likeliest option is right, whatever its confidence; where several may hold, of the yes-or-no decisions at a half."],
  precision: ["Precision", "Of the frames that were given this option, the share that people gave it, too."],
  recall: ["Recall", "Of the frames that people gave this option, the share that was found."],
  f1: ["F1", "The harmonic mean of precision and recall: high only where both are."],
  macro_f1: ["F1 (macro)", "Mean of the F1 of every option: rare options count as much as frequent ones."],
  micro_f1: ["F1 (micro)", "F1 over all answers: frequent options count more."],
  weighted_f1: ["F1 (weighted)", "Mean of the F1 of every option, by how often it holds."],
  micro_precision: ["Precision (all answers)", "Of all answers at or above their cutoffs, the share that is right."],
  micro_recall: ["Recall (all answers)", "Of all answers that people gave, the share that was found."],
  subset_accuracy: ["All right", "Share of the frames of which everything is right: nothing wrong, nothing missing."],
  coverage: ["Coverage", "Share of the frames that get an answer at all; of the others nothing is sure enough."],
  roc_auc: ["ROC-AUC", "The chance that a frame that holds an option scores above one that does not: 50 % is guessing, 100 % perfect order. No cutoff is in it."],
  average_precision: ["Average precision", "Mean precision over all recalls: the area under the precision-recall curve."],
  ece: ["Calibration error", "How far confidences are off on average: 5 % means that of answers with 80 %, about 75 to 85 % are right."],
  brier: ["Brier score", "Mean squared distance of the confidences from what holds: 0 is best."],
  matthews: ["Matthews", "Correlation of answers and truth, from -100 % to 100 %; 0 is chance, also where options are very unequal."],
  kappa: ["Kappa", "Agreement with people beyond what chance gives."],
  cutoff: ["Cutoff", "The confidence under which this option is not answered."],
  loss: ["Loss", "Cross-entropy: what the classifier makes smaller as it learns; on frames that it does not learn from, rising means that it learns by heart."],
};

export function name(figure) {
  return MEANING[figure]?.[0] ?? figure;
}

let numbered = 0;

/** The figure's name, which tells what it means to those who point at it, listen, or press it. */
export function meant(figure) {
  const [words, meaning] = MEANING[figure] ?? [figure, ""];
  const id = `meaning-${++numbered}`, told = h("span.off-screen", { id }, meaning);
  const press = () => told.classList.toggle("off-screen");
  return [h("button.meant", { type: "button", title: meaning, "aria-describedby": id, onclick: press }, words), told];
}

/** "91 % (83–96 %)", or "–" where nothing can be said. */
export function share(value, interval = null, digits = 0) {
  if (value === null || value === undefined) return "–";
  const bounds = interval ? ` (${Math.round(100 * interval[0])}–${Math.round(100 * interval[1])} %)` : "";
  return percent(value, digits) + bounds;
}

/** Tiles of figures: [figure, value, small words]. */
export function tiles(rows) {
  return h("dl.figures-of-all", {}, rows.map(([figure, value, small]) =>
    h("div.figure-of", {}, h("dt", {}, meant(figure)), h("dd", {}, value, small ? h("small", {}, small) : null))));
}

export function head(...columns) {
  return h("thead", {}, h("tr", {}, columns.map(([figure, kind = "number"]) =>
    h(kind ? `th.${kind}` : "th", { scope: "col" }, MEANING[figure] ? meant(figure) : figure))));
}

/** From one value to the next: "+3.1", in points of percent, told in colour and in words. */
export function change(from, to, less = false) {
  if (from === null || to === null || from === undefined || to === undefined) return h("span.quiet", {}, "–");
  const points = 100 * (to - from), sign = points > 0 ? "+" : "−";
  if (Math.abs(points) < 0.05) return h("span.quiet", {}, "±0");
  return h(`span.${points > 0 !== less ? "better" : "worse"}`, {}, `${sign}${Math.abs(points).toFixed(1)}`);
}

export const PARTS = {
  cross: ["Cross-check", "frames for learning and choosing, each judged by a classifier that had seen neither it nor its likes"],
  validation: ["Validation", "frames that cutoffs and parameters were chosen by, each judged by a classifier that had not seen it"],
  test: ["Test", "frames that were kept away from all learning and choosing"],
  train: ["Train", "frames that it learned from: how well it remembers, not how well it will do"],
};
