// One frame, large: what people say, what was answered, and where in it that was seen.

import { address, get, ofProject } from "./api.js";
import { at, fill, h, percent } from "./dom.js";
import { show } from "./job.js";
import { busy } from "./notices.js";
import { image } from "./pictures.js";
import { words } from "./training_frames.js";

/** In a dialog: what people say of the frame, what was answered, and on demand where that was seen. of: version, classification. */
export function open(frame, of, project) {
  const dialog = at("frame"), shown = h("div.shown", {}, frame.id === null ? null : h("figure.drawn", {}, image(frame.id, "the frame", 480)));
  const see = h("button", { type: "button", disabled: frame.task === null, onclick: busy(async () => {
    shown.append(await heat(frame, of, shown));
    see.hidden = true;
  }) }, `Where it sees ${frame.best.join(" / ")}`);
  const label = frame.task !== null && project.url ? h("a.button", { href: `${project.url}/data?task=${frame.task}`, target: "_blank", rel: "noopener" }, "Open in Label Studio") : null;
  fill(dialog, h("div.frame", {},
    h("h2", { id: "frame-title" }, frame.task === null ? "A frame that no task shows any more" : `Task ${frame.task}, frame ${frame.frame}`),
    h("p", {}, `People say: ${words(frame.truth)}. Answered: ${words(frame.answers)}. Likeliest: ${frame.best.join(" / ")} (${percent(frame.score)}).`),
    shown, h("div.row", {}, see, label, h("button", { type: "button", onclick: () => dialog.close() }, "Close"))));
  dialog.showModal();
}

/** A heat map, made when it is asked for. */
async function heat(frame, of, place) {
  const path = ofProject(`/versions/${encodeURIComponent(of.version)}/heat-map`);
  const query = { task: frame.task, frame: frame.frame, classification: of.classification, option: frame.best.join(" / ") };
  const response = await fetch(address(path, query), { credentials: "same-origin" });
  let source;
  if (response.headers.get("Content-Type")?.startsWith("image/")) source = URL.createObjectURL(await response.blob());
  else {
    const told = await response.json();
    if (!response.ok) throw new Error(told.detail);
    const bar = h("div");
    place.append(bar);
    const last = await show(told.job, bar, { title: "Heat map" });
    bar.remove();
    if (last.state !== "done") throw new Error(last.message);
    source = `data:image/png;base64,${(await get(`/jobs/${told.job}/result`)).result.png}`;
  }
  return h("figure.drawn", {}, h("img", { src: source, alt: `heat map: where ${frame.best.join(" / ")} is seen` }), h("figcaption.quiet.small", {}, "Warm: what speaks for it."));
}
