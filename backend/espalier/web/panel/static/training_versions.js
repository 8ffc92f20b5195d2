// Model versions: which serves, what they are worth side by side, and who decides.

import { get, ofProject } from "./api.js";
import { at, fill, h, when } from "./dom.js";
import { answer } from "./job.js";
import { busy, complain, say } from "./notices.js";
import { change, head, name, share } from "./training_words.js";

const manages = document.body.dataset.role === "manager";
const KIND = { promoted: "good", training: "", candidate: "warn", archived: "", failed: "bad" };
const MOST = 3;
const FIGURES = ["accuracy", "macro_f1", "roc_auc", "average_precision", "ece", "coverage"];
const chosen = new Set();
const evaluations = new Map();

export async function evaluation(version, place = h("div")) {
  if (!evaluations.has(version)) evaluations.set(version, await answer(ofProject(`/versions/${version}/evaluation`), null, place));
  return evaluations.get(version);
}

export function forget(version) {
  evaluations.delete(version);
}

/** Asks in a dialog; resolves with what was chosen, or null. */
function ask(title, words, act, fields) {
  const dialog = at("ask");
  return new Promise((resolve) => {
    const form = h("form.stack", { method: "dialog" }, h("h2", { id: "ask-title" }, title), h("p", {}, words), fields,
      h("div.row", {}, h("button.main", { value: "yes" }, act), h("button", { value: "no", formnovalidate: true }, "Cancel")));
    fill(dialog, form);
    dialog.onclose = () => resolve(dialog.returnValue === "yes" ? Object.fromEntries(new FormData(form)) : null);
    dialog.returnValue = "no";
    dialog.showModal();
  });
}

function reason() {
  return h("div.field", {}, h("label", { for: "reason" }, "Why?"), h("input", { id: "reason", name: "reason", maxlength: "500", placeholder: "kept with the promotion" }));
}

async function promote(row, changed) {
  const shown = await get(ofProject(`/versions/${row.name}`));
  const tuned = (shown.metrics.tuning?.curves ?? []).length > 1;
  const which = tuned ? h("div.field", {}, h("label", { for: "last" }, "Which network?"), h("select", { id: "last", name: "last" }, h("option", { value: "" }, "the best one"), h("option", { value: "yes" }, "the last one"))) : null;
  const said = await ask(`Let ${row.name} predict?`, "It answers from now on, whatever the gate said of it. Predictions of the version before stay where they are.", "Promote", [which, reason()]);
  if (!said) return;
  const done = await answer(ofProject(`/versions/${row.name}/promote`), { reason: said.reason, last: said.last === "yes" }, at("running"));
  fill(at("running"));
  say(`${done.version} predicts now`);
  await changed();
}

export function actions(changed) {
  if (!manages) return;
  const back = busy(async () => {
    const said = await ask("Go back?", "The version that served before this one predicts again.", "Roll back", reason());
    if (!said) return;
    say(`${(await answer(ofProject("/rollback"), { reason: said.reason }, h("div"))).version} predicts again`);
    await changed();
  });
  const archive = busy(async () => {
    const keep = h("div.field", {}, h("label", { for: "keep" }, "Keep the files of the newest"), h("input", { id: "keep", name: "keep", type: "number", min: "1", max: "1000", value: "20" }));
    const said = await ask("Archive old versions?", "Their files are removed; what is known of them stays, and so do those that served last.", "Archive", keep);
    if (!said) return;
    const { versions } = await answer(ofProject("/archive"), { keep: Number(said.keep) }, h("div"));
    say(versions.length ? `The files of ${versions.join(", ")} were removed` : "There was nothing to remove");
    await changed();
  });
  fill(at("versions-actions"), h("button", { type: "button", onclick: back }, "Roll back"), h("button", { type: "button", onclick: archive }, "Archive"));
}

export function table(versions, current, look, changed) {
  if (!versions.length) {
    fill(at("versions"), h("div.empty", {}, h("strong", {}, "Nothing was learned yet"), "Label a few frames of at least two options: the first version is there seconds after you submit them."));
    return;
  }
  const rows = versions.map((row) => {
    const usable = row.state !== "training" && row.state !== "failed" && row.size_bytes > 0;
    const box = h("input", { type: "checkbox", checked: chosen.has(row.name), disabled: !usable, "aria-label": `Compare ${row.name}` });
    box.addEventListener("change", () => {
      if (box.checked && chosen.size >= MOST) {
        box.checked = false;
        return say(`${MOST} versions at a time can be compared`);
      }
      box.checked ? chosen.add(row.name) : chosen.delete(row.name);
      compare(versions, look.part()).catch(complain);
    });
    return h("tr", { dataset: { version: row.name }, "aria-current": row.name === current ? "true" : null },
      h("td", {}, box),
      h("td", {}, h("button.plain", { type: "button", disabled: !usable, onclick: () => look.at(row.name) }, row.name), row.serves ? h("span.badge.good", {}, "predicts") : h(`span.badge${KIND[row.state] ? `.${KIND[row.state]}` : ""}`, {}, row.state)),
      h("td", {}, when(row.created_at)),
      h("td.of-version", {}, h("div.quiet.small", { title: row.message }, row.message)),
      h("td", {}, manages && usable && !row.serves ? h("button", { type: "button", onclick: busy(() => promote(row, changed)) }, "Promote") : null));
  });
  fill(at("versions"), h("div.scroll", { role: "region", tabindex: "0", "aria-labelledby": "versions-title" },
    h("table", {}, head(["Compare", ""], ["Version", ""], ["Made", ""], ["What it is", ""], ["", ""]), h("tbody", {}, rows))));
}

/** The chosen ones side by side, the oldest first; differences to the first. */
export async function compare(versions, part) {
  const names = versions.map((row) => row.name).filter((one) => chosen.has(one)).reverse();
  if (names.length < 2) {
    fill(at("compared"), names.length ? h("p.quiet", {}, "Choose one or two more to see them side by side.") : null);
    return;
  }
  const found = await Promise.all(names.map((one) => evaluation(one)));
  const parts = found.map((one) => one.parts[part]);
  const line = (words, values, strong = false) => h("tr", {}, h(strong ? "th" : "td", strong ? { scope: "row" } : {}, words), values.map((value, index) => [
    h("td.number", {}, share(value, null, 1)), index ? h("td.number", {}, change(values[0], value)) : null]));
  const rows = FIGURES.map((figure) => line(name(figure), parts.map((one) => one.mean[figure]), true));
  const keys = new Map(found.flatMap((one) => one.questions.map((question) => [JSON.stringify([question.classification, question.parent]), question])));
  for (const [key, { classification, parent }] of keys) {
    const questions = parts.map((one) => one.questions.find((question) => JSON.stringify([question.classification, question.parent]) === key && question.rows));
    rows.push(line(`${[classification, ...parent].join(" / ")}: F1`, questions.map((one) => one?.macro_f1 ?? null), true));
    const paths = new Set(questions.flatMap((one) => (one?.options ?? []).map((option) => option.path.join(" / "))));
    for (const path of paths) rows.push(line(path, questions.map((one) => one?.options.find((option) => option.path.join(" / ") === path)?.f1 ?? null)));
  }
  const frames = parts.map((one, index) => `${names[index]} on ${one.rows}`).join(", ");
  fill(at("compared"),
    h("h3", { id: "compared-title" }, `Side by side: ${names.join(", ")}`),
    h("p.quiet.small", {}, `Judged on frames (${frames}) that each had not learned from; where the numbers differ, they are not the same frames, and the gate's comparison on the same ones counts. Differences are in points, to ${names[0]}.`),
    h("div.scroll", { role: "region", tabindex: "0", "aria-labelledby": "compared-title" }, h("table", { id: "side-by-side" },
      head(["F1 by option", ""], ...names.flatMap((one, index) => (index ? [[one], ["change"]] : [[one]]))), h("tbody", {}, rows))));
}
