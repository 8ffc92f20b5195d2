// Who decides which version predicts: promote, roll back, archive; each asked about first.

import { get, ofProject } from "./api.js";
import { at, fill, h } from "./dom.js";
import { answer } from "./job.js";
import { say } from "./notices.js";

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

export async function promote(changed, row) {
  const shown = await get(ofProject(`/versions/${row.name}`));
  const losses = (shown.metrics.tuning?.curves ?? []).map((one) => one.validation_loss ?? Infinity), last = losses.pop();
  const isBest = losses.every((loss) => last < loss); // then it is one network, and there is nothing to choose
  const which = !losses.length ? null : isBest ? h("p.quiet", {}, "Its last network is its best one.") : h("div.field", {}, h("label", { for: "last" }, "Which network?"), h("select", { id: "last", name: "last" }, h("option", { value: "" }, "the best one"), h("option", { value: "yes" }, "the last one")));
  const said = await ask(`Let ${row.name} predict?`, "It answers from now on, whatever the gate said of it. Predictions of the version before stay where they are.", "Promote", [which, reason()]);
  if (!said) return;
  const done = await answer(ofProject(`/versions/${row.name}/promote`), { reason: said.reason, last: said.last === "yes" }, h("div"));
  say(`${done.version} predicts now`);
  await changed();
}

export async function rollBack(changed) {
  const said = await ask("Go back?", "The version that served before this one predicts again.", "Roll back", reason());
  if (!said) return;
  say(`${(await answer(ofProject("/rollback"), { reason: said.reason }, h("div"))).version} predicts again`);
  await changed();
}

export async function archive(changed) {
  const keep = h("div.field", {}, h("label", { for: "keep" }, "Keep the files of the newest"), h("input", { id: "keep", name: "keep", type: "number", min: "1", max: "1000", value: "20" }));
  const said = await ask("Archive old versions?", "Their files are removed; what is known of them stays, and so do those that served last.", "Archive", keep);
  if (!said) return;
  const { versions } = await answer(ofProject("/archive"), { keep: Number(said.keep) }, h("div"));
  say(versions.length ? `The files of ${versions.join(", ")} were removed` : "There was nothing to remove");
  await changed();
}
