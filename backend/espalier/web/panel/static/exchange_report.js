// What was understood of a file, and every row that was not.

import { h } from "./dom.js";
import { counted } from "./exchange_words.js";

const AT_ONCE = 50, LABELS_SHOWN = 12;

function table(labels) {
  const rows = Object.entries(labels), most = Math.max(1, ...Object.values(labels));
  const line = ([name, count]) => h("tr", {}, h("td", {}, name),
    h("td", {}, h("progress.meter", { max: most, value: count, "aria-label": `${count} times` })), h("td.number", {}, String(count)));
  const some = (part) => h("table", {}, h("tbody", {}, part.map(line)));
  return [some(rows.slice(0, LABELS_SHOWN)), rows.length > LABELS_SHOWN
    ? h("details", {}, h("summary", {}, `${rows.length - LABELS_SHOWN} more`), some(rows.slice(LABELS_SHOWN))) : null];
}

/** A cell that no spreadsheet takes for a formula. */
function cell(value) {
  const text = /^'*[=+\-@\t\r]/.test(String(value)) ? `'${value}` : String(value);
  return `"${text.replaceAll('"', '""')}"`;
}

function saved(problems) {
  const lines = [["row", "value", "why", "what to do"], ...problems.map((one) => [one.row, one.value, one.why, one.do])];
  const file = new Blob([lines.map((line) => line.map(cell).join(",")).join("\r\n")], { type: "text/csv" });
  return h("a.button", { href: URL.createObjectURL(file), download: "not-understood.csv" }, "Save the list as CSV");
}

export function problems(told) {
  if (!told.problem_count) return null;
  const body = h("tbody"), all = told.problems;
  const more = h("button", { type: "button", onclick: () => show() }, "Show more");
  const show = () => {
    const from = body.children.length;
    body.append(...all.slice(from, from + AT_ONCE).map((one) => h("tr", {}, h("td", {}, String(one.row)), h("td", {}, one.value), h("td", {}, one.why), h("td", {}, one.do))));
    more.hidden = body.children.length >= all.length;
  };
  show();
  const head = [told.kind === "table" ? "Row" : "Picture", "What stands there", "Why it is not understood", "What to do"];
  const beyond = told.problem_count > all.length ? h("p.quiet", {}, `These are the first ${all.length} of ${told.problem_count}.`) : null;
  return h("details.note.warn", { open: true }, h("summary", {}, counted(told.problem_count, told.kind === "table" ? "thing" : "file"), " not understood"),
    h("div.scroll", { tabindex: "0", role: "region", "aria-label": "Not understood" }, h("table.problems", {}, h("thead", {}, h("tr", {}, head.map((name) => h("th", { scope: "col" }, name)))), body)),
    h("div.row", {}, more, saved(all)), beyond);
}

function refusals(counts) {
  const rows = Object.entries(counts?.reasons ?? {});
  if (!rows.length) return null;
  return h("div.note.warn", {}, h("strong", {}, "Not given"), h("ul", {}, rows.map(([why, count]) => h("li", {}, `${counted(count, "task")}: ${why}`))));
}

/** told: what a preview or an import answered; upload: missing pictures would be imported. */
export function report(told, upload) {
  const counts = told.counts, what = told.kind === "table" ? "row" : "picture";
  const written = counts?.written ?? 0;
  const would = told.counts === undefined || told.counts === null ? null
    : h("p", {}, h("strong", {}, `${counted(written, "task")} would be labeled`),
      counts.said ? `; ${counted(counts.said, "frame")} had it already` : "", ".");
  const missing = !told.missing ? null : h("p.note", {}, upload && told.kind === "pictures"
    ? `${counted(told.missing, "picture")} would be imported into Label Studio, and labeled.`
    : `${counted(told.missing, "file")} ${told.missing === 1 ? "is" : "are"} shown by no task of this project. ${told.kind === "pictures" ? "Tick the box above to import them." : "Import the pictures into Label Studio, then this table again."}`);
  return [h("p", {}, `${counted(told.rows, what)} understood, about ${counted(told.tasks, "task")}.`), would, missing,
    Object.keys(told.labels).length ? [h("h3", {}, "Labels in the file"), table(told.labels)] : null, refusals(counts),
    counts?.problems?.length ? h("details.note", {}, h("summary", {}, "To know"), h("ul", {}, counts.problems.map((line) => h("li", {}, line)))) : null,
    problems(told)];
}
