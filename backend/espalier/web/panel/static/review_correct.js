// The right answer, question by question: parents before their attributes, each option by one key.

import { at, fill, h } from "./dom.js";

const HOTKEYS = "1234567890abcdefghijklmnopqrstuvwxyz";
const MANY = 30;

function same(left, right) {
  return left.length === right.length && left.every((name, place) => name === right[place]);
}

/** Whether the answers so far open this question. What is asked elsewhere is taken to be as it must. */
function isAsked(classification, answers, own) {
  return classification.conditions.every((condition) => {
    if (!condition.classifications.some((name) => own.has(name))) return true;
    const said = answers.filter((one) => condition.classifications.includes(one.classification));
    const hit = said.some((one) => condition.options === null || condition.options.some((path) => same(path, one.option)));
    return condition.negated ? !hit : hit;
  });
}

function hotkeysOf(options) {
  const taken = new Set(options.map((option) => option.hotkey).filter((key) => key && key.length === 1));
  const free = [...HOTKEYS].filter((key) => !taken.has(key));
  return options.map((option) => (option.hotkey && option.hotkey.length === 1 ? option.hotkey : free.shift() ?? ""));
}

/** Asks in the dialog; resolves with answers, or null where the person left it. */
export function correct(ontology, row, picture, words) {
  const dialog = at("correcting"), place = at("correcting-question");
  const scope = row.first === null ? "media" : null;
  const asked = ontology.classifications.filter((one) => one.media === row.tag && (scope ? one.scope === "media" : one.scope !== "media"));
  const own = new Set(asked.map((one) => one.name));
  at("correcting-title").textContent = words;
  fill(at("correcting-picture"), picture);
  return new Promise((resolve) => {
    const said = []; // [classification, answers] of the questions gone through
    let current = null, chosen = [], shown = [], keys = [];

    const end = (answers) => {
      dialog.removeEventListener("keydown", press);
      dialog.removeEventListener("close", leave);
      dialog.close();
      resolve(answers);
    };
    const leave = () => end(null);
    const soFar = () => said.flatMap(([, answers]) => answers);
    const next = () => {
      const done = new Set(said.map(([one]) => one.name));
      current = asked.find((one) => !done.has(one.name) && isAsked(one, soFar(), own));
      if (!current) return end(soFar().length ? soFar() : null);
      chosen = [];
      ask();
    };
    const answered = (paths) => {
      said.push([current, paths.map((option) => ({ classification: current.name, option }))]);
      next();
    };
    const take = (option) => {
      const several = current.kind === "multiple" || current.kind === "taxonomy";
      if (!several) return answered([option.option]);
      chosen = chosen.some((path) => same(path, option.option)) ? chosen.filter((path) => !same(path, option.option)) : [...chosen, option.option];
      ask();
    };
    const back = () => {
      if (!said.length) return leave();
      [current] = said.pop();
      chosen = [];
      ask();
    };
    const button = (option, number) => {
      const predicted = row.answers.some((one) => one.classification === current.name && same(one.option, option.option));
      return h("button", { type: "button", "aria-pressed": String(chosen.some((path) => same(path, option.option))), onclick: () => take(option) },
        keys[number] ? h("kbd", {}, keys[number]) : null, option.option.join(" / "), predicted ? h("span.badge", {}, "predicted") : null);
    };
    const ask = () => {
      shown = current.options.filter((option) => !current.options.some((other) => other.option.length > option.option.length && same(other.option.slice(0, option.option.length), option.option)));
      keys = hotkeysOf(shown);
      const options = h("div.options", { role: "group", "aria-label": current.name }, shown.map(button));
      const search = shown.length > MANY ? h("input", { type: "search", placeholder: "find an option", "aria-label": "Find an option" }) : null;
      search?.addEventListener("input", () => {
        const wanted = search.value.toLowerCase();
        fill(options, shown.map((option, number) => (option.option.join(" / ").toLowerCase().includes(wanted) ? button(option, number) : null)));
      });
      const several = current.kind === "multiple" || current.kind === "taxonomy";
      fill(place,
        h("div", {}, h("h3", {}, current.name), h("p.quiet.small", {}, soFar().map((one) => `${one.classification}: ${one.option.join(" / ")}`).join(" · "))),
        search, options,
        h("div.row", {},
          h("button", { type: "button", onclick: () => answered(chosen) }, several && chosen.length ? "Go on " : "No answer ", h("kbd", {}, "Enter")),
          h("button", { type: "button", onclick: back }, said.length ? "Back " : "Leave ", h("kbd", {}, said.length ? "Backspace" : "Esc"))));
      (search ?? options.querySelector("button"))?.focus();
    };
    const press = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
      const number = keys.indexOf(event.key);
      if (number >= 0) take(shown[number]);
      else if (event.key === "Enter") answered(chosen);
      else if (event.key === "Backspace") back();
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    dialog.addEventListener("keydown", press);
    dialog.addEventListener("close", leave);
    dialog.showModal();
    next();
  });
}
