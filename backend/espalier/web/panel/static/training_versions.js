// Model versions: which serves, what they are worth side by side, and who decides.

import { ofProject } from "./api.js";
import { at, fill, h, when } from "./dom.js";
import { answer } from "./job.js";
import { busy, complain, say } from "./notices.js";
import { head } from "./training_words.js";

const manages = document.body.dataset.role === "manager";
const KIND = { promoted: "good", training: "", candidate: "warn", archived: "", failed: "bad" };
const MOST = 3;
const deciding = () => import("./training_decisions.js"); // comes when somebody decides
const chosen = new Set();
const evaluations = new Map();

export async function evaluation(version, place = h("div")) {
  if (!evaluations.has(version)) evaluations.set(version, await answer(ofProject(`/versions/${version}/evaluation`), null, place));
  return evaluations.get(version);
}

export function forget(version) {
  evaluations.delete(version);
}

export function actions(changed) {
  if (!manages) return;
  const ask = (what) => busy(async () => (await deciding())[what](changed));
  fill(at("versions-actions"), h("button", { type: "button", onclick: ask("rollBack") }, "Roll back"), h("button", { type: "button", onclick: ask("archive") }, "Archive"));
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
      h("td", {}, manages && usable && !row.serves ? h("button", { type: "button", onclick: busy(async () => (await deciding()).promote(changed, row)) }, "Promote") : null));
  });
  fill(at("versions"), h("div.scroll", { role: "region", tabindex: "0", "aria-label": "All model versions" },
    h("table", {}, head(["Compare", ""], ["Version", ""], ["Made", ""], ["What it is", ""], ["", ""]), h("tbody", {}, rows))));
}

/** The chosen ones side by side, the oldest first. */
export async function compare(versions, part) {
  const names = versions.map((row) => row.name).filter((one) => chosen.has(one)).reverse();
  if (names.length < 2) {
    fill(at("compared"), names.length ? h("p.quiet", {}, "Choose one or two more to see them side by side.") : null);
    return;
  }
  const found = await Promise.all(names.map((one) => evaluation(one)));
  (await import("./training_compare.js")).sideBySide(at("compared"), names, found.map((one) => [one.questions, one.parts[part]]));
}
