// Cutoffs that hold from now on: what was chosen by hand, and what that changed.

import { get, ofProject, put } from "./api.js";
import { h } from "./dom.js";
import { answer, show } from "./job.js";
import { say } from "./notices.js";
import { head, share } from "./training_words.js";

/** `tried`: the cutoff of each option, or null to forget what was chosen by hand. Returns before and after as a note, if anything moved. */
export async function keep(classification, paths, inForce, tried) {
  const { policy } = await answer(ofProject("/cutoffs"), null, h("div"));
  const options = { ...policy.options };
  paths.forEach((path, index) => {
    if (tried && tried[index] === inForce[index]) return;
    for (const known of [path.join(" / "), path.join("/"), path.at(-1)]) delete options[`${classification}/${known}`];
    if (tried) options[`${classification}/${path.join(" / ")}`] = { strategy: "by_hand", value: tried[index] };
  });
  let told = await put(ofProject("/cutoffs"), { policy: { ...policy, options } });
  if (told.job) {
    await show(told.job, h("div"));
    told = (await get(`/jobs/${told.job}/result`)).result;
  }
  const key = (one) => JSON.stringify([one.classification, one.option]);
  const before = new Map(told.before.figures.map((one) => [key(one), one]));
  const moved = told.figures.filter((one) => one.cutoff !== before.get(key(one))?.cutoff);
  say(moved.length ? `The cutoffs of ${moved.length} option${moved.length > 1 ? "s" : ""} hold from now on; ${told.dropped} predictions will be made anew` : "The cutoffs are as they were");
  if (!moved.length) return null;
  const row = (one) => {
    const was = before.get(key(one)), pair = (figure) => h("td.number", {}, `${share(was[figure])} → ${share(one[figure])}`);
    return h("tr", {}, h("td", {}, one.option.join(" / ")), h("td.number", {}, `${was.cutoff.toFixed(2)} → ${one.cutoff.toFixed(2)}`), pair("precision"), pair("recall"), pair("coverage"));
  };
  return h("div.note", { id: "before-after" }, h("strong", {}, "Before and after, on all frames that can be judged"),
    h("div.scroll", {}, h("table", {}, head(["Option", ""], ["cutoff"], ["precision"], ["recall"], ["coverage"]), h("tbody", {}, moved.map(row)))));
}
