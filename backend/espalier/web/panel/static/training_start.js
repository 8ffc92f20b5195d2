// Starting a training or a fine-tuning, what it learns from, how long it takes, and how it goes.

import { get, ofProject, post } from "./api.js";
import { at, duration, fill, h } from "./dom.js";
import { draw } from "./figure.js";
import { answer, show } from "./job.js";
import { busy, complain, say } from "./notices.js";
import { formOf } from "./training_form.js";

const LOOKS_MS = 2000;
const watched = new Set();

/** Tabs of buttons: arrows move, the chosen one's panel is shown. */
function tabs(list) {
  const buttons = [...list.querySelectorAll("[role=tab]")];
  const choose = (button) => {
    for (const one of buttons) {
      one.setAttribute("aria-selected", String(one === button));
      one.tabIndex = one === button ? 0 : -1;
      at(one.getAttribute("aria-controls")).hidden = one !== button;
    }
  };
  for (const button of buttons) {
    button.addEventListener("click", () => choose(button));
    button.disabled = false; // until now nobody heard them
  }
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length];
    next.focus();
    choose(next);
  });
}

function learnsFrom(labels) {
  const rows = labels.questions.map((one) => h("li", {}, `${one.classification}: ${one.frames} frames of ${one.media} media`, one.reason ? ` – ${one.reason}` : ""));
  const doubts = labels.warnings.map((words) => h("li", {}, words));
  return [
    h("details", {}, h("summary", {}, "What there is to learn from"), h("ul", {}, rows)),
    doubts.length ? h("div.note.warn", {}, h("ul", {}, doubts)) : null,
  ];
}

function told(estimate) {
  const { train = 0, validation = 0, test = 0 } = estimate.parts, { tuning } = estimate;
  return h("div.note", { dataset: { estimate: "" } },
    h("p", {}, `It learns from ${train} frames, chooses by ${validation} and is judged on ${test}.`),
    h("p", {}, h("strong", {}, `${tuning.steps} steps, about ${duration(tuning.seconds)}`), `, and about ${duration(estimate.embedding_s)} for the embeddings before and after.`),
    (tuning.remarks ?? []).length ? h("ul", {}, tuning.remarks.map((words) => h("li", {}, words))) : null);
}

/** The learning curve of a fine-tuning that goes on, until it is over. */
export async function watch(version, ended) {
  if (watched.has(version)) return;
  watched.add(version);
  const plot = h("div", { dataset: { plot: "" } }), words = h("div.words", { role: "status" }), meter = h("progress.meter", { "aria-label": `Fine-tuning of ${version}` });
  const stop = h("button", { type: "button", onclick: busy(async () => say((await answer(ofProject(`/versions/${version}/cancel`), {}, h("div"))).message)) }, "Cancel, keep the best so far");
  const card = h("section.card.stack", { "aria-label": `Fine-tuning of ${version}`, dataset: { live: version } },
    h("div.job", {}, h("strong", {}, `${version} is being fine-tuned`), document.body.dataset.role === "manager" ? stop : null, meter, words), plot);
  at("running").append(card);
  let drawn = 0;
  try {
    for (;;) {
      const row = await get(ofProject(`/versions/${version}`)), tuning = row.metrics.tuning ?? {};
      if (row.state !== "training") break;
      if (tuning.steps) [meter.max, meter.value] = [tuning.steps, tuning.step];
      words.textContent = [row.message, tuning.steps ? `step ${tuning.step} of ${tuning.steps}` : "", tuning.left_s ? `about ${duration(tuning.left_s)} left` : ""].filter(Boolean).join(" · ");
      const steps = (await get(ofProject(`/versions/${version}/steps`))).tuning;
      if (steps.length > drawn) {
        const { figure } = await answer(ofProject(`/versions/${version}/learning`), null, h("div"));
        drawn = steps.length;
        if (figure) draw(plot, figure).catch(complain);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOKS_MS));
    }
  } catch (error) {
    complain(error);
  }
  card.remove();
  watched.delete(version);
  await ended(version);
}

/** Fills the card, once; `ended(version or null)` is called where something was trained. */
export async function starts(card, project, ended) {
  if (card.dataset.filled) return;
  card.dataset.filled = "1";
  const names = project.classifications.map((one) => one.classification);
  tabs(card.querySelector("[role=tablist]"));
  try {
    const schemas = await get("/training-choices");
    tune(at("start-tune"), schemas.tuning, names, ended);
    await train(at("start-train"), schemas.training, names, ended);
  } catch (error) {
    delete card.dataset.filled;
    throw error;
  }
}

async function train(place, schema, names, ended) {
  const progress = h("div");
  fill(place, h("p.quiet", {}, "Counting what people have answered…"));
  const labels = await answer(ofProject("/labels"), null, progress);
  const form = formOf(schema, labels.parameters, names), outcome = h("div.stack", { role: "status" });
  const reread = h("input", { type: "checkbox" });
  const start = busy(async () => {
    const started = await answer(ofProject("/trainings"), { parameters: form.value(), reconcile: reread.checked }, outcome);
    const last = await show(started.job, outcome, { title: "Training" });
    if (last.state === "done") await ended(null, last.message);
  });
  fill(place,
    h("p.quiet", {}, "Answers are learned by themselves as they come. What you choose here is kept, and holds for every training to come."),
    learnsFrom(labels),
    h("form.stack", { onsubmit: start, novalidate: true }, form.element, h("div", {}, h("label", {}, reread, "Read all of the project from Label Studio first")), h("div", {}, h("button.main", {}, "Train now"))),
    outcome);
}

function tune(place, schema, names, ended) {
  const form = formOf(schema, null, names), outcome = h("div.stack", { role: "status" });
  const estimated = busy(async () => {
    const estimate = await answer(ofProject("/tunings/estimate"), { parameters: form.value() }, outcome);
    fill(outcome, told(estimate));
  });
  const start = busy(async () => {
    const { version } = await answer(ofProject("/tunings"), { parameters: form.value() }, outcome);
    fill(outcome, h("p", {}, `${version} is being made; it is shown above.`));
    watch(version, ended);
  });
  fill(place,
    h("p.quiet", {}, "The network itself learns from all answers, which takes minutes to hours. What predicts goes on meanwhile, and the new version takes over only where it is better."),
    h("form.stack", { onsubmit: start, novalidate: true }, form.element,
      h("div.row", {}, h("button.main", {}, "Start fine-tuning"), h("button", { type: "button", onclick: estimated }, "How long would it take?"))),
    outcome);
}
