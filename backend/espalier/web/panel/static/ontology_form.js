// A form for a plugin's parameters, made from the plugin's own schema. An empty field leaves the choice to the plugin.

import { h } from "./dom.js";

function control(id, one, value) {
  const shared = { id, "aria-describedby": `${id}-hint` };
  if (one.enum || one.type === "boolean") {
    const values = one.enum ?? [true, false];
    const words = (each) => (each === true ? "yes" : each === false ? "no" : String(each));
    const usual = "default" in one ? `usual (${words(one.default)})` : "chosen by the plugin";
    return h("select", shared, h("option", { value: "" }, usual),
      values.map((each) => h("option", { value: JSON.stringify(each), selected: each === value }, words(each))));
  }
  const written = value === undefined ? "" : String(value);
  const usual = "default" in one ? `usual: ${one.default}` : "chosen by the plugin";
  if (one.type === "string") return h("input", { ...shared, value: written, placeholder: usual });
  return h("input", { ...shared, type: "number", step: one.type === "integer" ? "1" : "any", min: one.minimum ?? one.exclusiveMinimum, max: one.maximum ?? one.exclusiveMaximum, value: written, placeholder: usual });
}

export class Parameters {
  /** properties: JSON Schema of each, by name; values: what is set now. */
  constructor(properties, values) {
    this.properties = properties;
    this.controls = new Map();
    const fields = Object.entries(properties).map(([name, one]) => {
      const id = `parameter-${name}`, its = control(id, one, values[name]);
      this.controls.set(name, its);
      return h("div.field", {}, h("label", { for: id }, one.title), its, h("span.hint", { id: `${id}-hint` }, one.description));
    });
    this.element = h("div.fields", {}, fields.length ? fields : h("p.quiet", {}, "It has no parameters: it chooses everything itself."));
  }

  /** Those that a person set. */
  get value() {
    const found = {};
    for (const [name, its] of this.controls) {
      if (its.value === "") continue;
      const { type } = this.properties[name];
      found[name] = its.matches("select") ? JSON.parse(its.value) : type === "string" ? its.value : Number(its.value);
    }
    return found;
  }
}
