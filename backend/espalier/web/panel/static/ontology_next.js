// What to label next: a short list with pictures that open in Label Studio, and the whole list written there.

import { address, get, ofProject, post } from "./api.js";
import { at, fill, h } from "./dom.js";
import { finished, show } from "./job.js";
import { busy } from "./notices.js";
import { failing, several } from "./ontology_words.js";

const SHOWN = 12;
const WRITTEN = 50;

function card(entry, url) {
  const picture = h("img", { src: address(ofProject(`/tasks/${entry.task_id}/thumbnail`), { size: 240 }), alt: "", loading: "lazy", decoding: "async", width: 240, height: 180 });
  picture.addEventListener("error", () => setTimeout(() => { picture.src = picture.src; }, 3000), { once: true }); // it is being made
  const words = `task ${entry.task_id}`;
  return h("li", {}, url ? h("a", { href: `${url}/data?task=${entry.task_id}`, target: "_blank", rel: "noopener", "aria-label": `${words} in Label Studio` }, picture) : picture, h("p", {}, h("strong", {}, words), " ", entry.reason));
}

export async function draw(url) {
  const place = at("next");
  fill(place, h("p.quiet", {}, "Choosing…"));
  try {
    const told = await finished(await get(ofProject("/lists/next"), { count: SHOWN }), place);
    fill(place, told.note ? h("p.quiet.small", {}, told.note) : null,
      told.entries.length ? h("ol.next-tasks", {}, told.entries.map((entry) => card(entry, url))) : h("div.empty", {}, h("strong", {}, "Nothing is left to label"), "Every task that is known here has an answer: import more in Label Studio."));
  } catch (error) {
    failing(place)(error);
  }
}

export async function write(url) {
  const place = at("next");
  const { run, job } = await finished(await post(ofProject("/lists/next"), { count: WRITTEN }), place);
  await show(job, place, { title: "Writing the list to Label Studio" });
  const told = await get(`/runs/${encodeURIComponent(run)}`);
  fill(place, h("p.note", { role: "status" }, `${told.message}. In Label Studio's Data Manager, order by prediction score; “Label all tasks” then goes by it.`),
    h("div.row", {}, url ? h("a.button", { href: `${url}/data`, target: "_blank", rel: "noopener" }, "Open the Data Manager") : null,
      told.state === "done" ? h("button", { type: "button", onclick: busy(async () => {
        const undone = await finished(await post(`/runs/${encodeURIComponent(run)}/undo`), place);
        fill(place, h("p.note", { role: "status" }, `Taken back: ${several(undone.deleted, "prediction")} of this list left Label Studio.`));
      }) }, "Undo") : null));
}

