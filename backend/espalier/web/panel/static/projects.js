// Every connected project: whether it is well, what people have answered, and what is missing.

import { get } from "./api.js";
import { fill, h } from "./dom.js";
import { answer } from "./job.js";

const SHOWN = 8; // options of a classification, before "more"

function answers(told) {
  const rows = (options, most) => options.map((option) => h("tr", {},
    h("td", {}, option.option.join(" / ")),
    h("td", {}, h("progress.meter", { max: Math.max(most, 1), value: option.tasks, "aria-label": `${option.tasks} tasks` })),
    h("td.number", {}, String(option.tasks))));
  return told.classifications.map((one) => {
    const options = [...one.options].sort((left, right) => right.tasks - left.tasks);
    const most = options[0]?.tasks ?? 0, more = options.slice(SHOWN);
    return h("div", {},
      h("h3", {}, one.classification),
      options.length ? h("table", {}, h("tbody", {}, rows(options.slice(0, SHOWN), most))) : h("p.quiet", {}, "its options are listed by the tasks"),
      more.length ? h("details", {}, h("summary", {}, `${more.length} more`), h("table", {}, h("tbody", {}, rows(more, most)))) : null);
  });
}

function badge(check) {
  const kind = { ok: "good", warning: "warn", failed: "bad" }[check.state];
  return h(`span.badge.${kind}`, { title: check.found }, check.name.endsWith("webhook") ? "webhook" : "connection");
}

async function describe(card) {
  const id = card.dataset.card, path = `/projects/${id}`;
  const place = card.querySelector("[data-answers]"), missing = card.querySelector("[data-missing]");
  try {
    const told = await get(path);
    fill(place, h("p.quiet", {}, `${told.answered} of ${told.tasks} tasks have an answer`), answers(told));
    place.firstChild.style.gridColumn = "1 / -1";
    if (told.missing.length) {
      fill(missing, h("div.note.warn", {}, h("strong", {}, "What is missing"), h("ul", {}, told.missing.map((words) => h("li", {}, words)))));
    }
    if (!told.up_to_date) card.querySelector("[data-health]").append(h("span.badge", {}, "learning from new answers"));
    if (told.url) {
      const open = card.querySelector("[data-open]");
      open.href = told.url;
      open.hidden = false;
    }
  } catch (error) {
    fill(place, h("p.note.bad", {}, error.message));
  }
  place.removeAttribute("aria-busy");
}

async function examine(card) {
  const health = card.querySelector("[data-health]"), missing = card.querySelector("[data-missing]");
  const waiting = h("span.badge", {}, "looking whether it is connected…");
  health.append(waiting);
  try {
    const { items = [] } = await answer(`/projects/${card.dataset.card}/check`, {}, h("div"));
    waiting.replaceWith(...items.map(badge));
    for (const check of items) {
      if (check.state === "ok") continue;
      missing.append(h(`div.note.${check.state === "failed" ? "bad" : "warn"}`, {}, `${check.found}. `, check.remedy));
    }
  } catch (error) {
    waiting.replaceWith(h("span.badge.warn", { title: error.message }, "not known whether it is connected"));
  }
}

for (const card of document.querySelectorAll("[data-card]")) {
  await describe(card);
  examine(card);
}
