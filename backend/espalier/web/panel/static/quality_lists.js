// What each list is about: where it comes from, how one entry of it looks, and what to do where it is empty.

import { h, percent } from "./dom.js";
import { taskImage } from "./pictures.js";

const picture = (task, frame, words, size = 240) => taskImage(task, words, { frame, size });
const path = (options) => options.map((option) => option.join(" / ")).join(", ") || "none of the options";

function doubt(one) {
  const frames = one.first ? ` (frame${one.last > one.first ? `s ${one.first}–${one.last}` : ` ${one.first}`})` : "";
  return h("div", {}, `${one.classification}${frames}`,
    h("div.given", {}, `given ${path(one.given)}, ${percent(one.given_confidence)} sure`),
    h("div.predicted", {}, `predicted ${path(one.predicted)}, ${percent(one.predicted_confidence)} sure`));
}

function answers(result) {
  const told = result.flatMap((region) => Object.values(region.value ?? {}).filter(Array.isArray).flat()).filter((one) => typeof one === "string" || Array.isArray(one));
  return [...new Set(told.map((one) => (Array.isArray(one) ? one.join(" / ") : one)))].slice(0, 4).join(" › ");
}

function entry(one, ...more) {
  const frame = one.doubts?.[0]?.first ?? 1, words = `task ${one.task_id}: ${one.reason}`;
  return { key: String(one.task_id), tasks: [one.task_id], frame, words, tile: () => [
    picture(one.task_id, frame, words),
    h("div.caption", {}, h("strong", {}, `task ${one.task_id}`), more)] };
}

/** kind: of the list in Label Studio, where it can be written. errand: the address; items(answer): what is shown. */
export const LISTS = {
  next: {
    kind: "next",
    about: "Unlabeled tasks from which the model would learn most: what it is unsure of, no two alike. Open one, label it, go on.",
    settle: "Not now",
    items: (told) => told.entries.map((one) => entry(one, h("span.reason", {}, one.reason), one.result.length ? h("span.quiet", {}, `predicted ${answers(one.result)}`) : null)),
    empty: ["Nothing is left to label", "Every task that can be read has an answer. Import more tasks in Label Studio, or look at the other lists."],
  },
  errors: {
    kind: "errors",
    about: "Answers that a model which had not seen them doubts: what was given, what is predicted, and how sure it is of each.",
    settle: "It is right",
    items: (told) => told.entries.map((one) => entry(one,
      one.doubts?.length ? one.doubts.slice(0, 1).map(doubt) : h("span.reason", {}, one.reason),
      h("span.quiet", {}, `${percent(one.mislabeling)} likely wrong`))),
    empty: ["No answer looks wrong", "What people answered agrees with a model that had not seen it. Look again when more is labeled."],
  },
  revisit: {
    kind: "revisit",
    about: "Answers in doubt since an option was renamed, merged, split or retired. Settle those that are right as they are.",
    settle: "Right as it is",
    items: (told) => told.entries.map((one) => entry(one, h("span.reason", {}, one.reason), one.result.length ? h("span.quiet", {}, `predicted ${answers(one.result)}`) : null)),
    empty: ["Nothing is in doubt", "When options of the ontology are renamed, merged or split, the answers that somebody should look at again appear here."],
  },
  duplicates: {
    about: "Tasks that show the same picture, or nearly. Where they are labeled differently, one of the labels is wrong.",
    settle: "Put aside",
    items: (told) => told.duplicates.map((group) => {
      const kind = group.kind === "exact" ? "the same picture" : "nearly the same";
      const words = `${group.tasks.length} tasks, ${kind}`;
      return { key: group.tasks.join("-"), tasks: group.tasks, words, tile: () => [
        h("div.mosaic", {}, group.tasks.slice(0, 4).map((task) => picture(task, 1, `task ${task}`, 160))),
        h("div.caption", {}, h("strong", {}, words), group.labels_differ ? h("span.given", {}, "labeled differently") : null,
          h("span.quiet.reason", {}, `tasks ${group.tasks.slice(0, 12).join(", ")}${group.tasks.length > 12 ? " …" : ""}`))] };
    }),
    empty: ["No picture is there twice", "Every task shows something of its own."],
  },
  outliers: {
    about: "Labeled tasks that are unlike the others of their class: rare cases, or wrong labels.",
    settle: "Put aside",
    items: (told) => told.outliers.map((one) => {
      const words = `labeled ${one.option.join(" / ")}`;
      return { key: `${one.task_id}|${one.classification}|${one.option.join("/")}`, tasks: [one.task_id], words: `task ${one.task_id}, ${words}`, tile: () => [
        picture(one.task_id, 1, `task ${one.task_id}, ${words}`),
        h("div.caption", {}, h("strong", {}, `task ${one.task_id}`), h("span", {}, `${one.classification}: ${words}`), h("span.quiet", {}, `more unusual than ${percent(one.score, 1)}`))] };
    }),
    empty: ["Nothing stands out", "Outliers are told once a model serves: label a few frames of every class."],
  },
  poor: {
    about: "Pictures that are blurred, dark, tiny or oddly shaped: look whether they can be labeled at all.",
    settle: "Put aside",
    items: (told) => told.poor.map((one) => {
      const words = one.verdicts.join("; "), frame = one.number ?? 1;
      return { key: `${one.task_id}|${frame}`, tasks: [one.task_id], words: `task ${one.task_id}: ${words}`, tile: () => [
        picture(one.task_id, frame, `task ${one.task_id}: ${words}`),
        h("div.caption", {}, h("strong", {}, one.number ? `task ${one.task_id}, frame ${one.number}` : `task ${one.task_id}`), h("span.reason", {}, words))] };
    }),
    empty: ["Every picture is fine", "None is blurred, dark, tiny or oddly shaped."],
  },
};
