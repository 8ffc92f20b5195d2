// What options became: a form that counts before it keeps, what looks like a rename, and what was said so far.

import { get, ofProject, post, remove } from "./api.js";
import { at, fill, h, when } from "./dom.js";
import { finished } from "./job.js";
import { busy, say } from "./notices.js";
import { asked, failing, may, path, several, table } from "./ontology_words.js";

const KIND = {
  rename: "was renamed: it is now", merge: "were merged: both are now", split: "was split: it may now be", retire: "was retired: its answers count no more",
};
const SENTENCE = { rename: "renamed to", merge: "merged into", split: "split into", retire: "retired" };

const options = (paths, chosen = []) => paths.map((one) => h("option", { value: JSON.stringify(one), selected: chosen.some((other) => path(other) === path(one)) }, path(one)));
const picked = (select) => [...select.selectedOptions].map((one) => JSON.parse(one.value));

export class Mappings {
  /** changed(): answers mean something else now. */
  constructor({ ontology, url, changed }) {
    Object.assign(this, { ontology, url, changed });
    this.gone = new Map(); // classification -> options that are no more, as far as is known
  }

  /** What is different from the configuration that the served version learned. */
  async changes() {
    const told = await asked("/ontology/changes");
    for (const one of told.changes) {
      const named = [...(one.code === "option removed" ? [one.option] : []), ...(one.suggestion?.old ?? [])];
      const known = this.gone.get(one.classification) ?? [];
      this.gone.set(one.classification, [...known, ...named.filter((other) => !known.some((each) => path(each) === path(other)))]);
    }
    if (told.changes.length) fill(at("changed"), this.different(told));
    else fill(at("changed"));
    this.form();
  }

  different(told) {
    const rows = told.changes.map((one) => {
      const guess = one.suggestion, use = guess && may("manager")
        ? h("button", { type: "button", onclick: () => this.form({ ...guess, look: true }) }, `Is it a ${guess.kind}?`) : null;
      const fate = one.answers === "kept" ? "answers are kept" : one.answers === "need another look" ? "answers need another look" : "is no longer asked of those answers";
      return h("li", {}, `${one.message} (${fate}; the model ${one.model}).`,
        guess ? h("div.row.small", {}, h("strong", {}, `Likely a ${guess.kind}: ${guess.old.map(path).join(", ")} → ${guess.new.map(path).join(", ") || "nothing"}`), h("span.quiet", {}, guess.why), use) : null);
    });
    return h("div.note.warn", {}, h("strong", {}, `Since ${told.version} was trained, ${several(told.changes.length, "thing")} changed in the labeling configuration`), h("ul", {}, rows));
  }

  form({ kind = this.gone.size ? "rename" : "merge", classification, old = [], new: made = [], look = false } = {}) {
    if (!may("manager")) return fill(at("mapping-form"), h("p.quiet", {}, "A manager may say it."));
    const questions = this.ontology.classifications.filter((one) => !one.options_from);
    if (!questions.length) return fill(at("mapping-form"), h("p.quiet", {}, "There is no question with options of its own."));
    const of = h("select", { id: "map-of" }, questions.map((one) => h("option", { value: one.name, selected: one.name === classification }, one.name)));
    const how = h("select", { id: "map-kind" }, Object.entries(KIND).map(([name, words]) => h("option", { value: name, selected: name === kind }, words)));
    const from = h("select", { id: "map-old" }), to = h("select", { id: "map-new" });
    const another = h("input", { id: "map-another", "aria-describedby": "map-another-hint" }), into = h("div.field", {}, h("label", { for: "map-new" }, "What it is today"), to);
    const outcome = h("div", { id: "mapping-counts", role: "status" }), keep = h("button.main", { type: "button", disabled: true }, "Keep it");
    let counted = "";
    const body = () => ({ kind: how.value, classification: of.value, old: another.value.trim() ? [another.value.split(" / ").map((part) => part.trim())] : picked(from), new: how.value === "retire" ? [] : picked(to) });
    const stale = () => {
      keep.disabled = counted !== JSON.stringify(body());
      if (keep.disabled) fill(outcome);
    };
    const fit = () => {
      const one = this.ontology.classifications.find((each) => each.name === of.value), today = one.options.map((each) => each.option);
      const gone = [...(this.gone.get(of.value) ?? []), ...old.filter(() => of.value === classification)].filter((each, at, all) => !today.some((other) => path(other) === path(each)) && all.findIndex((other) => path(other) === path(each)) === at);
      from.multiple = how.value === "merge";
      to.multiple = how.value === "split";
      for (const select of [from, to]) select.size = select.multiple ? Math.min(8, Math.max(4, today.length + 1)) : 0;
      const chosen = of.value === classification;
      fill(from, gone.length ? h("optgroup", { label: "no longer in the configuration" }, options(gone, chosen ? old : [])) : null, h("optgroup", { label: "in the configuration" }, options(today, chosen ? old : [])));
      fill(to, options(today, chosen ? made : []));
      into.hidden = how.value === "retire";
      stale();
    };
    of.addEventListener("change", fit);
    how.addEventListener("change", fit);
    for (const one of [from, to, another]) one.addEventListener("input", stale);
    const count = async () => {
      const wanted = body(), told = await finished(await post(ofProject("/mappings/preview"), wanted), outcome);
      counted = JSON.stringify(wanted);
      const meaning = { retire: "will count no more", split: "will each need another look" }[wanted.kind] ?? `will be read as ${wanted.new.map(path).join(" or ")}`;
      fill(outcome, h("p.note", {}, h("strong", {}, several(told.answers, "answer")), ` in ${several(told.annotations, "annotation")} ${told.answers === 1 ? meaning.replace("will each need", "will need") : meaning}.`));
      keep.disabled = counted !== JSON.stringify(body());
    };
    keep.addEventListener("click", busy(async () => {
      const told = await finished(await post(ofProject("/mappings"), body()), outcome);
      say(`Kept: ${several(told.answers, "answer")} are read anew. A training was asked for.`, "good");
      this.form();
      await this.changed();
    }));
    fill(at("mapping-form"), h("form.stack", { id: "map", onsubmit: busy(count) },
      h("div.fields", {},
        h("div.field", {}, h("label", { for: "map-of" }, "Question"), of),
        h("div.field", {}, h("label", { for: "map-old" }, "The option"), from),
        h("div.field", {}, h("label", { for: "map-kind" }, "What happened"), how),
        into,
        h("div.field", {}, h("label", { for: "map-another" }, "Another old name"), another, h("span.hint", { id: "map-another-hint" }, "For an option that is not listed; nested ones with “ / ” between."))),
      h("div.row", {}, h("button", {}, "How many answers?"), keep), outcome));
    fit();
    if (!look) return;
    at("mappings-title").scrollIntoView();
    count().catch(failing(outcome));
  }

  /** What was said so far, the newest first, each with what is to be looked at again. */
  async history() {
    const [{ items }, revisits] = await Promise.all([get(ofProject("/mappings"), { all: true }), asked("/revisits")]);
    const rest = revisits.items.filter((one) => !one.mapping_id);
    if (!items.length && !rest.length) return fill(at("mappings"), h("p.quiet", {}, "No option was renamed, merged, split or retired so far."));
    const rows = [...items].reverse().map((one) => {
      const undone = Boolean(one.undone_at), open = revisits.items.filter((each) => each.mapping_id === one.id);
      const undo = !undone && may("manager") ? h("button", { type: "button", onclick: busy(async () => {
        await finished(await remove(ofProject(`/mappings/${encodeURIComponent(one.id)}`)), h("div"));
        say("Undone: the answers say again what they said.", "good");
        await this.changed();
      }) }, "Undo") : null;
      const words = `${path(one.old)} ${SENTENCE[one.kind]} ${one.new.map(path).join(" or ")}`;
      return h("tr", { dataset: { mapping: one.id } },
        h("th", { scope: "row" }, one.classification), h("td", {}, undone ? h("s", {}, words) : words, open.length ? this.revisit(open) : null),
        h("td.small", {}, when(one.created_at)), h("td", {}, undone ? h("span.badge", {}, `undone ${when(one.undone_at)}`) : undo));
    });
    fill(at("mappings"),
      rows.length ? table(["Question", "What happened", "When", "~Undo"], rows) : null,
      rest.length ? this.revisit(rest) : null);
  }

  revisit(entries) {
    const tasks = [...new Set(entries.map((one) => one.task_id))];
    const links = tasks.slice(0, 60).map((task) => h("li", {}, this.url ? h("a", { href: `${this.url}/data?task=${task}`, target: "_blank", rel: "noopener" }, `task ${task}`) : `task ${task}`));
    const settle = may("annotator") ? h("button", { type: "button", onclick: busy(async () => {
      const told = await finished(await post(ofProject("/revisits/settle"), { tasks }), h("div"));
      say(`${several(told.settled, "answer")} left the list.`, "good");
      await this.history();
    }) }, "All are right as they are") : null;
    return h("details", {}, h("summary", {}, `${several(entries.length, "answer")} to look at again`),
      h("p.quiet.small", {}, [...new Set(entries.map((one) => one.reason))].slice(0, 3).join("; ")),
      h("ul.row", {}, links, tasks.length > 60 ? h("li", {}, `and ${tasks.length - 60} more`) : null), settle);
  }
}
