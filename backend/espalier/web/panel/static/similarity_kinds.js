// What can be asked of all frames beside a search: each kind with its form, and how its answer is read.

import { ofProject } from "./api.js";
import { h, percent } from "./dom.js";
import { answer } from "./job.js";
import { say } from "./notices.js";
import { choices, inOrder } from "./similarity_options.js";

const share = (score) => score.toFixed(2);

function number(name, label, value, more) {
  return h("label.field", {}, h("span.label", {}, label), h("input", { type: "number", name, value: String(value), ...more }));
}

function select(name, label, options) {
  return h("label.field", {}, h("span.label", {}, label), h("select", { name }, options.map(([value, words]) => h("option", { value }, words))));
}

function classification(ontology, empty) {
  return select("classification", "Of", [["", empty], ...inOrder(ontology).map((one) => [one.name, one.name])]);
}

/** Members of a group that its answer left out: the same asked again, with all of them, and kept. */
function withMembers(kind, body, pick) {
  let asked = null;
  return (place) => (number) => async () => {
    asked ??= answer(ofProject(`/${kind}`), { ...body, members: true }, place);
    return pick(await asked)[number].hits;
  };
}

function makeClass(ontology, proposal, name, members, context) {
  const asked = ontology.classifications.find((one) => one.name === name);
  const tag = /labels$/i.test(asked.control) ? "Label" : "Choice";
  const line = h("input.wide.figures", { readonly: true, "aria-label": "Line for the labeling configuration" });
  const input = h("input", { id: "new-class", placeholder: "its name" });
  const write = () => {
    const value = (input.value.trim() || "new class").replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;");
    line.value = `<${tag} value="${value}"/>`;
  };
  input.addEventListener("input", write);
  write();
  const copy = h("button", { type: "button", onclick: async () => {
    line.select();
    await navigator.clipboard?.writeText(line.value).catch(() => {});
    say("copied");
  } }, "Copy");
  const dialog = h("dialog.stack", { "aria-labelledby": "make-class", onclose: () => dialog.remove() },
    h("h2", { id: "make-class" }, "Make it a class"),
    h("p", {}, `${members.length} frames are selected. The new option belongs to `, h("strong", {}, name), "."),
    h("label.field", { for: "new-class" }, h("span.label", {}, "What is it?"), input),
    h("ol", {},
      h("li", {}, "In Label Studio open ", context.url ? h("a", { href: `${context.url}/settings/labeling`, target: "_blank", rel: "noopener" }, "Settings › Labeling Interface › Code") : "Settings › Labeling Interface › Code"),
      h("li", {}, "Put this line within ", h("code", {}, `<${asked.control} name="${name}"`), " and save:", h("div.row", {}, line, copy)),
      h("li", {}, "Come back, choose the new class below, and give it to what is selected.")),
    h("div.row", {}, h("button.main", { type: "button", onclick: async () => {
      dialog.close();
      await context.give.refresh();
      context.give.focus();
    } }, "I added it: choose it"), h("button", { type: "button", onclick: () => dialog.close() }, "Close")));
  document.body.append(dialog);
  dialog.showModal();
  input.focus();
}

/** title; intro; fields(ontology); read(answer, context) -> {words, hits, extra} or {words, groups}. */
export const KINDS = {
  duplicates: {
    title: "Duplicates",
    intro: "The same picture several times, or nearly. The first of each is the one to keep: people labeled it, or it was there first.",
    fields: () => [number("min_score", "Alike from (0 to 1)", "", { min: "0", max: "1", step: "0.01", placeholder: "by itself" })],
    read: (told) => ({
      words: `${told.exact} equal and ${told.near} nearly equal groups; ${told.redundant} frames could go`,
      groups: told.groups.map((group) => ({
        hits: group.hits, size: group.hits.length, title: group.hits.length === 1 ? `The same file in ${group.hits[0].also.length + 1} tasks` : `${group.size} ${group.kind === "exact" ? "equal" : "nearly equal"} frames`,
        badges: [group.hits.length > 1 ? h("span.badge", {}, share(group.min_score)) : null, group.labels_differ ? h("span.badge.bad", {}, "answered differently") : null],
        about: group.hits.length === 1 ? `Tasks ${[group.hits[0].task, ...group.hits[0].also].join(", ")}` : "",
        copies: group.hits.slice(1),
      })),
    }),
    acts: (group, { chosen }) => (group.copies.length ? h("button", { type: "button", onclick: () => chosen.set(group.copies) }, "Select the copies") : null),
  },
  pairs: {
    title: "Pairs",
    intro: "The frames of different scenes that are most alike: the same thing twice, or two answers to one.",
    fields: () => [number("k", "How many", 50, { min: "1", max: "1000" })],
    read: (told) => ({ words: `${told.pairs.length} pairs`, groups: told.pairs.map((pair) => ({ hits: pair.hits, title: `Alike ${share(pair.score)}` })) }),
  },
  clusters: {
    title: "Clusters",
    intro: "Frames that belong together, named by what is said of them.",
    fields: (ontology) => [select("method", "How", [["kmeans", "so many of like size"], ["density", "as many as there are"]]), number("count", "How many", "", { min: "1", max: "500", placeholder: "by itself" }), classification(ontology, "anything")],
    read: (told, { body, place }) => {
      const members = withMembers("clusters", body, (all) => all.clusters)(place);
      return {
        words: `${told.clusters.length} clusters${told.in_none ? `; ${told.in_none} frames are in none` : ""}`,
        groups: told.clusters.map((one) => ({
          hits: one.typical, size: one.size, title: one.name, members: members(one.number), badges: h("span.badge", {}, `${one.size} frames`),
          about: one.label ? `${percent(one.label.share)} of its frames are said to be so, of all ${percent(one.label.usual)}` : "Nothing that is said sets it apart.",
        })),
      };
    },
  },
  outliers: {
    title: "Outliers",
    intro: "The frames that are least like the others. With a class chosen on the left, those least like the others of that class.",
    fields: () => [select("order", "First the", [["least", "least typical"], ["most", "most typical"]]), number("k", "How many", 60, { min: "1", max: "1000" })],
    read: (told) => ({ words: `${told.hits.length} of ${told.frames} frames`, hits: told.hits }),
  },
  discover: {
    title: "Discover",
    intro: "Classes that nobody has named yet: frames like each other that no answer fits.",
    fields: (ontology) => [classification(ontology, "the first question"), number("k", "Proposals", 5, { min: "1", max: "50" })],
    read: (told, { body, place, ontology }) => {
      const members = withMembers("discover", body, (all) => all.proposals)(place);
      return {
        words: `${told.unknown} of ${told.frames} frames are unknown`,
        groups: told.proposals.map((one, index) => {
          const group = { hits: one.hits, size: one.size, members: members(index), title: `A class of ${one.size} frames?`, badges: h("span.badge", { title: "how likely it is no known class" }, `new ${percent(one.strangeness)}`), about: one.nearest ? `The nearest known class is ${one.nearest.name} (${share(one.nearest.likeness)}).` : "" };
          group.make = async (context) => {
            const hits = await group.members();
            context.chosen.set(hits);
            makeClass(ontology, one, told.classification, hits, context);
          };
          return group;
        }),
      };
    },
    acts: (group, context) => context.give.form && h("button.main", { type: "button", onclick: () => group.make(context) }, "Make it a class…"),
  },
  anomalies: {
    title: "Anomalies",
    intro: "Frames unlike those that people gave a class, beyond a cutoff that so few normal frames would pass.",
    fields: (ontology) => [h("label.field", {}, h("span.label", {}, "Normal is"), h("select", { name: "normal" }, choices(inOrder(ontology), { empty: "each class for itself" }))), number("share", "Normal frames flagged (%)", 1, { min: "0.1", max: "50", step: "0.1" })],
    read: (told) => ({
      words: [`${told.flagged} frames are flagged. `, told.classes.map((one) => `${one.name}: ${one.flagged} of ${one.judged}`).join("; ")],
      hits: told.hits,
      extra: (hit) => ({ note: h("span.badge.warn", { title: `cutoff ${share(hit.cutoff)}` }, `not ${hit.class}`) }),
    }),
  },
};
