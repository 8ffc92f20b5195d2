// How far a job has come: a bar with the time left and a cancel button, fed by server-sent events.

import { address, get, post, project } from "./api.js";
import { duration, fill, h } from "./dom.js";
import { complain } from "./notices.js";

const ENDED = new Set(["done", "failed", "cancelled", "unknown"]);

/** Calls `told(status)` at every step; resolves with the last status. `signal` stops listening, not the job. */
export function follow(job, told = () => {}, signal = undefined) {
  return new Promise((resolve, reject) => {
    const events = new EventSource(address(`/jobs/${encodeURIComponent(job)}/events`, { project }));
    const hear = (event) => {
      const status = JSON.parse(event.data);
      told(status);
      if (ENDED.has(status.state)) stop(() => resolve(status));
    };
    const stop = (after) => {
      events.close();
      after();
    };
    for (const name of ["message", "progress", "end"]) events.addEventListener(name, hear);
    events.onerror = async () => {
      if (events.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      try {
        const status = await get(`/jobs/${encodeURIComponent(job)}`);
        told(status);
        if (ENDED.has(status.state)) resolve(status);
        else setTimeout(() => follow(job, told, signal).then(resolve, reject), 1000);
      } catch (error) {
        reject(error);
      }
    };
    signal?.addEventListener("abort", () => stop(() => reject(new DOMException("no longer wanted", "AbortError"))));
  });
}

/** Shows the job in `place` until it has ended. Resolves with its last status; what failed is told in words there. A
 * viewer asks, and may cancel nothing: others may wait for the same answer. */
export async function show(job, place, { title = "", cancel = document.body.dataset.role !== "viewer" } = {}) {
  const meter = h("progress.meter", { "aria-label": title || "Progress" });
  const words = h("div.words", { role: "status" }, "waiting to begin");
  const stop = h("button", { type: "button" }, "Cancel");
  stop.addEventListener("click", () => {
    stop.disabled = true;
    post(`/jobs/${encodeURIComponent(job)}/cancel`).catch(complain);
  });
  fill(place, h("div.job", { dataset: { job } }, title && h("strong", {}, title), cancel ? stop : null, meter, words));
  const last = await follow(job, (status) => {
    if (status.total) {
      meter.max = status.total;
      meter.value = status.done;
    } else meter.removeAttribute("value");
    const count = status.total ? `${status.done} of ${status.total}` : "";
    const left = status.eta_s ? `about ${duration(status.eta_s)} left` : "";
    words.textContent = [status.message || status.state, count, left].filter(Boolean).join(" · ");
  });
  meter.max = meter.value = 1;
  stop.remove();
  const say = { failed: "failed", cancelled: "cancelled", unknown: "is not known any more", done: "done" }[last.state];
  words.textContent = last.message && last.message !== say ? `${say}: ${last.message}` : say;
  words.classList.toggle("bad", last.state === "failed");
  return last;
}

/** The result of what may take a while: asks, shows the progress if it does, and returns the job's answer.
 *
 * `body` null asks by GET.
 */
export async function answer(path, body, place) {
  return finished(body === null ? await get(path) : await post(path, body), place);
}

/** The answer, where `first` is one; else, `first` being a job that was accepted, its result when it has ended. */
export async function finished(first, place) {
  if (!first.job || !first.events) return first;
  const last = await show(first.job, place);
  if (last.state !== "done") throw new Error(last.message || `the job ${last.state}`);
  return (await get(`/jobs/${encodeURIComponent(first.job)}/result`)).result;
}
