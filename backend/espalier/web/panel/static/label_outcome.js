// What a run would write, or wrote: counts per class, some of the frames with their answers, what went wrong.

import { h, percent } from "./dom.js";
import { image } from "./pictures.js";

const SHOWN = 12; // options in the table, before "more"

/** A task's address in Label Studio; null where that is not known. */
export function task_url(project, task) {
  return project.url ? `${project.url}/data?task=${task}` : null;
}

export function outside(href, ...words) {
  return href ? h("a", { href, target: "_blank", rel: "noopener" }, ...words) : h("span", {}, ...words);
}

function counted(answers) {
  const rows = Object.entries(answers).sort((left, right) => right[1] - left[1]), most = Math.max(1, ...Object.values(answers));
  const line = ([name, count]) => h("tr", {}, h("td", {}, name),
    h("td", {}, h("progress.meter", { max: most, value: count, "aria-label": `${count} answers` })), h("td.number", {}, String(count)));
  const table = (some) => h("table.counts", {}, h("tbody", {}, some.map(line)));
  return [table(rows.slice(0, SHOWN)), rows.length > SHOWN ? h("details", {}, h("summary", {}, `${rows.length - SHOWN} more`), table(rows.slice(SHOWN))) : null];
}

export function problems(counts) {
  const found = counts.problems ?? [];
  if (!found.length) return null;
  return h("details.note.warn", {}, h("summary", {}, found.length === 1 ? "1 thing to know" : `${found.length} things to know`), h("ul", {}, found.map((line) => h("li", {}, line))));
}

/** counts: those of a preview or a run; `done`: it was written. */
export function summary(counts, done) {
  const nothing = (counts.tasks ?? 0) - (counts.written ?? 0) - (counts.blind ?? 0);
  const would = done ? "" : "would be ";
  const answers = Object.keys(counts.answers ?? {}).length ? counted(counts.answers) : null;
  return [
    h("p", {}, h("strong", {}, `${counts.written ?? 0} of ${counts.tasks ?? 0} tasks ${would}labeled`), `, ${counts.frames ?? 0} frames looked at. `,
      counts.blind ? `${counts.blind} ${done ? "are" : "would be"} withheld, to measure. ` : "",
      nothing ? `${nothing} had nothing sure enough, or could not be read.` : ""),
    answers ? h("h3", {}, counts.frames > counts.tasks ? "Answers; a range of frames counts once" : "Answers") : null,
    answers ?? (counts.tasks ? h("p.note", {}, "Nothing reached the cutoff. Choose a lower one, or label more frames.") : h("p.note", {}, "No task is chosen: choose others, or connect and import some in Label Studio.")),
    problems(counts),
  ];
}

export function frames(sample, project) {
  if (!sample.length) return null;
  return [
    h("h3", {}, "Some of the frames"),
    h("ul.pictures", {}, sample.map((one) => {
      const name = one.frame > 1 || sample.some((other) => other.task === one.task && other !== one) ? `task ${one.task}, frame ${one.frame}` : `task ${one.task}`;
      const answers = one.answers.map((answer) => h("div.answer", { title: answer.classification }, h("span", {}, answer.option.join(" / ")), h("span.number", {}, percent(Math.floor(100 * answer.confidence) / 100))));
      return h("li.picture", {}, image(one.id, name), h("div.caption", {}, answers.length ? answers : h("span.quiet", {}, "not sure enough"),
        h("div.quiet.small", {}, outside(task_url(project, one.task), name))));
    })),
  ];
}
