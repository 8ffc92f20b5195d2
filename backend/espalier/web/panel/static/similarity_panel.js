// What all tabs have in common: a place for progress, the last question wins, and what to do where nothing is.

import { fill, h } from "./dom.js";

/** Runs one at a time: what is asked later wins, and says itself what went wrong. */
export function latest(place, act) {
  let turn = 0;
  return async (...values) => {
    const mine = ++turn, progress = place.querySelector("[data-progress]");
    place.setAttribute("aria-busy", "true");
    try {
      await act(() => mine === turn, progress, ...values);
    } catch (error) {
      if (mine === turn) fill(progress, h("p.note.bad", {}, error.message));
    }
    if (mine === turn) place.removeAttribute("aria-busy");
  };
}

export function frame(...children) {
  return h("div.stack", {}, h("div", { dataset: { progress: "" } }), ...children);
}

export function empty(told, conditions) {
  const [title, words] = conditions ? ["No frame meets the conditions", "Take one of them away on the left."]
    : ["Nothing can be searched yet", `Frames are found once they are embedded: ${document.body.dataset.role === "viewer" ? "ask an annotator to do it" : "press “Embed everything” above"}.`];
  return h("div.empty", {}, h("strong", {}, title), words, told.note ? h("p.small", {}, told.note) : null);
}
