// A form made from a JSON Schema, as the REST API tells it: what most people choose by, and the rest under "advanced".

import { h } from "./dom.js";

const WORDS = { lr: "Learning rate", imgsz: "Picture size", ema: "Moving average (EMA)", amp: "Arithmetic", val_split: "Validation share", test_split: "Test share", min_images: "Fewest images", cutmix: "CutMix", mixup: "MixUp" };
let numbered = 0;

/** "12, 15-20": the numbers. */
function numbers(text) {
  return text.split(/[,;\s]+/).filter(Boolean).flatMap((part) => {
    const [from, to = from] = part.split(/[-–]/).map(Number);
    if (!(from >= 1 && to >= from && to - from < 1e6)) throw new Error(`“${part}” is no task number, nor a range such as 15-20`);
    return Array.from({ length: to - from + 1 }, (_, at) => from + at);
  });
}

function lines(text) {
  return text.split("\n").map((line) => line.trim()).filter(Boolean);
}

function pairs(text, read) {
  return Object.fromEntries(lines(text).map((line) => {
    const at = line.lastIndexOf("=");
    if (at < 1) throw new Error(`“${line}” must look like: name = value`);
    return [line.slice(0, at).trim(), read(line.slice(at + 1).trim())];
  }));
}

function number(text) {
  const value = Number(text.replace(",", "."));
  if (Number.isNaN(value)) throw new Error(`“${text}” is no number`);
  return value;
}

/** One field: its element, what it says now, and how it is set. */
function field(name, schema, given, classifications) {
  const types = schema.anyOf ?? [schema], id = `field-${++numbered}`;
  const main = types.find((one) => one.type !== "null"), nullable = types.some((one) => one.type === "null");
  const label = WORDS[name] ?? (name[0].toUpperCase() + name.slice(1)).replaceAll("_", " ");
  const hint = h("span.hint", { id: `${id}-hint` }, schema.description);
  const about = { id, name, "aria-describedby": `${id}-hint` };
  const wrap = (input) => h("div.field", {}, h("label", { for: id }, label), input, hint);
  if (schema["x-kind"] === "classifications") {
    const boxes = classifications.map((one) => h("input", { type: "checkbox", value: one, checked: (given ?? []).includes(one) }));
    const element = h("fieldset", {}, h("legend", {}, label), boxes.map((box) => h("div", {}, h("label", {}, box, box.value))), hint);
    return { element, value: () => {
      const chosen = boxes.filter((box) => box.checked).map((box) => box.value);
      return chosen.length || !nullable ? chosen : null;
    } };
  }
  if (types.length > 1 && main.type === "boolean" && types.some((one) => one.type === "string")) {
    const input = h("input", { ...about, value: given === true ? "yes" : given === false ? "no" : given });
    return { element: wrap(input), value: () => ({ yes: true, no: false })[input.value.trim()] ?? input.value.trim() };
  }
  const values = schema.enum ?? main.enum;
  if (values || (main.type === "boolean" && nullable)) {
    const options = values ?? [null, true, false], words = (one) => (one === null ? "as the rest decides" : one === true ? "yes" : one === false ? "no" : one);
    const input = h("select", about, options.map((one, at) => h("option", { value: String(at), selected: one === given }, words(one))));
    return { element: wrap(input), value: () => options[Number(input.value)] };
  }
  if (main.type === "boolean") {
    const input = h("input", { ...about, type: "checkbox", checked: given });
    return { element: h("div.field", {}, h("label", {}, input, label), hint), value: () => input.checked };
  }
  if (main.type === "array" && main.items.type === "integer") {
    const input = h("input", { ...about, value: (given ?? []).join(", "), placeholder: "12, 15-20" });
    return { element: wrap(input), value: () => (input.value.trim() || !nullable ? numbers(input.value) : null) };
  }
  if (main.type === "array" || main.type === "object") {
    const isList = main.type === "array", read = main.additionalProperties?.type === "number" ? number : (text) => text;
    const text = isList ? (given ?? []).join("\n") : Object.entries(given ?? {}).map(([key, value]) => `${key} = ${value}`).join("\n");
    const input = h("textarea", { ...about, rows: "2", placeholder: isList ? "one per line" : "name = value, one per line" }, text);
    return { element: wrap(input), value: () => (isList ? lines(input.value) : pairs(input.value, read)) };
  }
  const isNumber = main.type === "number" || main.type === "integer";
  const input = h("input", { ...about, type: isNumber ? "number" : "text", value: given === null || given === undefined ? "" : String(given),
    placeholder: nullable && isNumber ? "chosen for you" : null,
    min: isNumber ? String(main.minimum ?? "") || null : null, max: isNumber ? String(main.maximum ?? "") || null : null, step: main.type === "integer" ? "1" : isNumber ? "any" : null });
  return { element: wrap(input), value: () => {
    const text = input.value.trim();
    if (!text && nullable) return null;
    return isNumber ? (text ? number(text) : schema.default) : text;
  } };
}

/** The element, and `value()`: all that differs from the default. Throws in words where something cannot be read. */
export function formOf(schema, kept, classifications) {
  const basic = h("div.form"), advanced = h("div.form"), fields = [];
  for (const name of schema["x-order"]) {
    const one = schema.properties[name];
    const made = field(name, one, kept && name in kept ? kept[name] : one.default, classifications);
    fields.push([name, made, one.default]);
    (one["x-level"] === "basic" ? basic : advanced).append(made.element);
  }
  const same = (left, right) => JSON.stringify(left ?? null) === JSON.stringify(right ?? null);
  return {
    element: h("div.stack", {}, basic, h("details", {}, h("summary", {}, "Advanced"), advanced)),
    value: () => Object.fromEntries(fields.map(([name, made, usual]) => [name, made.value(), usual]).filter(([, value, usual]) => !same(value, usual)).map(([name, value]) => [name, value])),
  };
}
