// Draws openapi.json: every operation with its parameters, answers and a form that tries it out. Text is set as text.
const document_ = await (await fetch("openapi.json")).json();
const schemas = document_.components.schemas;

function node(name, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...children.filter((child) => child !== null));
  return made;
}

function resolved(schema) {
  return schema?.$ref ? schemas[schema.$ref.split("/").pop()] : schema ?? {};
}

function kind(schema) {
  if (schema?.$ref) return schema.$ref.split("/").pop();
  if (schema?.anyOf) return schema.anyOf.map(kind).join(" or ");
  if (schema?.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema?.type === "array") return `list of ${kind(schema.items)}`;
  return schema?.const !== undefined ? JSON.stringify(schema.const) : schema?.type ?? "anything";
}

function fields(schema) {
  const { properties = {}, required = [] } = resolved(schema);
  const rows = Object.entries(properties).map(([name, one]) =>
    node("tr", {}, node("td", {}, node("code", {}, name), required.includes(name) ? " *" : ""),
      node("td", {}, kind(one) + (one.default !== undefined ? ` = ${JSON.stringify(one.default)}` : "")),
      node("td", {}, one.description ?? resolved(one).description ?? "")));
  return rows.length ? node("table", {}, ...rows) : null;
}

function example(schema) {
  const { properties = {}, required = [] } = resolved(schema);
  const held = Object.entries(properties).filter(([name, one]) => required.includes(name) || one.default !== undefined);
  return Object.fromEntries(held.map(([name, one]) => [name, one.default ?? (one.type === "array" ? [] : "")]));
}

function answers(operation) {
  return node("table", {}, ...Object.entries(operation.responses).map(([status, one]) => {
    const schema = Object.values(one.content ?? {})[0]?.schema;
    return node("tr", {}, node("td", {}, node("code", {}, status)), node("td", {}, one.description ?? ""),
      node("td", {}, schema ? kind(schema) : Object.keys(one.content ?? {}).join(", ")));
  }));
}

function trial(method, path, operation) {
  const inputs = (operation.parameters ?? []).map((one) => ({ one, input: node("input", { placeholder: kind(one.schema) }) }));
  const schema = operation.requestBody?.content?.["application/json"]?.schema;
  const body = schema ? node("textarea", { value: JSON.stringify(example(schema), null, 1), spellcheck: false }) : null;
  const told = node("pre", { hidden: true, tabIndex: 0 });
  const button = node("button", { type: "submit" }, "Send");
  const form = node("form", {},
    ...inputs.map(({ one, input }) => node("p", {}, node("label", {}, `${one.name} `, input), one.description ?? "")),
    body && node("label", {}, "Body", body), button, told);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const query = new URLSearchParams();
    let address = path;
    for (const { one, input } of inputs) {
      if (one.in === "path") address = address.replace(`{${one.name}}`, encodeURIComponent(input.value));
      else if (input.value) query.set(one.name, input.value);
    }
    const headers = { Accept: "application/json" };
    const token = document.getElementById("token").value.trim();
    if (token) headers.Authorization = `Bearer ${token}`;
    if (body) headers["Content-Type"] = "application/json";
    told.hidden = false;
    told.textContent = "…";
    try {
      const answer = await fetch(query.size ? `${address}?${query}` : address,
        { method: method.toUpperCase(), headers, body: body?.value });
      const type = answer.headers.get("Content-Type") ?? "";
      const text = /json|text/.test(type) ? await answer.text() : `${type}, ${(await answer.blob()).size} bytes`;
      told.textContent = `${answer.status} ${answer.statusText}\n${/json/.test(type) ? JSON.stringify(JSON.parse(text), null, 1) : text}`;
    } catch (error) {
      told.textContent = String(error);
    }
  });
  return form;
}

function drawn(method, path, operation) {
  const opened = node("details", { id: operation.operationId },
    node("summary", {}, node("b", {}, method.toUpperCase()), node("code", {}, path), node("span", {}, operation.summary ?? "")));
  opened.addEventListener("toggle", () => {
    if (opened.childElementCount > 1) return;
    const schema = operation.requestBody?.content?.["application/json"]?.schema;
    const success = Object.entries(operation.responses).find(([status]) => status.startsWith("2"))?.[1];
    const given = Object.values(success?.content ?? {})[0]?.schema;
    opened.append(node("p", {}, operation.description ?? ""),
      ...(schema ? [node("h3", {}, "Body"), fields(schema) ?? ""] : []),
      ...(given ? [node("h3", {}, `Answer: ${kind(given)}`), fields(given) ?? ""] : []),
      node("h3", {}, "Answers"), answers(operation), node("h3", {}, "Try it"), trial(method, path, operation));
  });
  return opened;
}

const all = Object.entries(document_.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method, path, operation })));

function draw(sought) {
  const place = document.getElementById("operations");
  const found = all.filter(({ method, path, operation }) =>
    `${method} ${path} ${operation.summary}`.toLowerCase().includes(sought.toLowerCase()));
  place.replaceChildren(...document_.tags.flatMap(({ name, description }) => {
    const own = found.filter(({ operation }) => operation.tags.includes(name));
    return own.length
      ? [node("h2", {}, name), node("p", {}, description ?? ""), ...own.map((one) => drawn(one.method, one.path, one.operation))]
      : [];
  }));
  if (!found.length) place.replaceChildren(node("p", {}, "no operation is called so"));
}

document.getElementById("about").textContent = document_.info.description;
document.getElementById("find").addEventListener("input", (event) => draw(event.target.value));
draw("");
if (location.hash) document.getElementById(location.hash.slice(1))?.setAttribute("open", "");
