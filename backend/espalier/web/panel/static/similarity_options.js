// The ontology's options for a choice: as the tree has them, a parent before what it opens.

import { h } from "./dom.js";

/** Classifications, each after the one that opens it. */
export function inOrder(ontology) {
  const byName = new Map(ontology.classifications.map((one) => [one.name, one]));
  const seen = new Set(), found = [];
  const walk = (name) => {
    const one = byName.get(name);
    if (!one || seen.has(name)) return;
    seen.add(name);
    found.push(one);
    one.children.forEach(walk);
  };
  ontology.roots.forEach(walk);
  ontology.classifications.forEach((one) => walk(one.name));
  return found;
}

/** "where Clothing is shirt or t-shirt" */
export function condition(classification) {
  return classification.conditions.map((one) => {
    const options = one.options.map((path) => path.join(" / ")), named = options.length > 3 ? [...options.slice(0, 3), "…"] : options;
    return `where ${one.classifications.join(" or ")} is ${one.negated ? "not " : ""}${named.join(" or ") || "answered"}`;
  }).join(" and ");
}

function optionsOf(classification) {
  return classification.options.map(({ option }) => {
    const value = JSON.stringify([classification.name, ...option]);
    return h("option", { value }, "\u2003".repeat(option.length - 1) + option.at(-1));
  });
}

/** <option>s for a <select>; values are JSON lists of the classification and the path. `any`: "any answer to ..." too. */
export function choices(classifications, { empty = "", any = false } = {}) {
  const groups = classifications.map((one) => {
    const when = condition(one);
    return h("optgroup", { label: when ? `${one.name} (${when})` : one.name },
      any ? h("option", { value: JSON.stringify([one.name]) }, `any answer to ${one.name}`) : null, optionsOf(one));
  });
  return [h("option", { value: "" }, empty), ...groups];
}

/** The classifications that an option opens. */
export function opened(ontology, [name, ...path]) {
  const isOf = (option) => option.every((part, at) => part === path[at]) && option.length <= path.length;
  return inOrder(ontology).filter((one) => one.conditions.length && one.conditions.every((each) =>
    each.classifications.includes(name) && !each.negated && (!each.options.length || each.options.some(isOf))));
}

/** "Clothing: t-shirt" */
export function named([name, ...path]) {
  return `${name}: ${path.join(" / ")}`;
}
