// What just happened, in a corner, read out to those who listen. Bad news stay until they are closed.

import { at, h } from "./dom.js";

export function say(words, kind = "", stays_ms = 6000) {
  const close = h("button.plain", { type: "button", "aria-label": "Close", onclick: () => note.remove() }, "×");
  const note = h(`div.note${kind ? `.${kind}` : ""}`, {}, h("span", {}, words), close);
  at("notices").append(note);
  if (kind !== "bad") setTimeout(() => note.remove(), stays_ms);
  return note;
}

/** For the end of a promise: what went wrong is said, in the server's words. */
export function complain(error) {
  if (error?.name === "AbortError") return;
  say(error?.message || String(error), "bad");
}

/** A listener that disables its button while it works, and says what goes wrong. */
export function busy(act) {
  return async (event) => {
    event.preventDefault();
    const button = event.submitter ?? event.currentTarget;
    const last = button instanceof HTMLButtonElement ? button : null;
    if (last) last.disabled = true;
    try {
      await act(event);
    } catch (error) {
      complain(error);
    } finally {
      if (last) last.disabled = false;
    }
  };
}
