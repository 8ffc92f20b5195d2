// A frame as it is shown everywhere on this page: its picture, where it is, what is said of it, what can be done.

import { h, percent } from "./dom.js";
import { image } from "./pictures.js";

/** "task 12 · frame 34 · 1.4 s": frames are told of where there are several. */
export function words(hit) {
  const isOneOfMany = hit.time_s !== null && hit.time_s !== undefined;
  return [`task ${hit.task}`, isOneOfMany || hit.frame > 1 ? `frame ${hit.frame}` : "", isOneOfMany ? `${hit.time_s.toFixed(1)} s` : ""].filter(Boolean).join(" · ");
}

/** Where Label Studio shows it. */
export function place(hit, url) {
  return url ? `${url}/data?task=${hit.task}` : null;
}

export function labels(hit) {
  return (hit.labels ?? []).map((one) => {
    const isPerson = one.source === "person", name = one.option.join(" / ");
    const by = isPerson ? "answered by people" : `predicted by ${one.source}`;
    return h(`span.badge${isPerson ? ".good" : ""}`, { title: `${one.classification}: ${name}, ${by}` }, isPerson ? name : `${name} ${percent(one.confidence)}`);
  });
}

/** `on`: {pick(event), like, more, less, scene}; those that are there become buttons. `isOpen`: of a scene. */
export function cell(hit, { url, isPicked, isCurrent, isOpen = false, on, score, note = null }) {
  const where = words(hit), scene = hit.scene?.others?.length ? hit.scene : null;
  const button = (name, sign, act) => act && h("button.plain", { type: "button", title: name, "aria-label": `${name}: ${where}`, onclick: () => act(hit) }, sign);
  const open = place(hit, url);
  return h(`li.picture.hit${isCurrent ? ".current" : ""}${hit.within ? ".within" : ""}${isPicked ? ".picked" : ""}`, { tabindex: "-1", dataset: { id: hit.id } },
    h("button.pick", { type: "button", "aria-pressed": String(isPicked), "aria-label": `Select ${where}`, onclick: on.pick }, image(hit.id, "", 160)),
    h("div.caption", {},
      h("div.where", { title: where }, score === undefined ? null : h("strong", {}, score.toFixed(2)), " ", where),
      h("div.said", {}, note, labels(hit))),
    h("div.acts", {},
      button("Only like this", "≈", on.like), button("More like this", "+", on.more), button("Less like this", "−", on.less),
      scene && on.scene ? h("button.plain.small", { type: "button", "aria-expanded": String(isOpen), title: `a scene: frames ${scene.first} to ${scene.last}`, "aria-label": `The ${scene.others.length} other hits of this scene: ${where}`, onclick: () => on.scene(hit) }, `${isOpen ? "▾" : "▸"}${scene.others.length}`) : null,
      open ? h("a.button.plain", { href: open, target: "_blank", rel: "noopener", title: "Open in Label Studio", "aria-label": `Open in Label Studio: ${where}` }, "↗") : null));
}
