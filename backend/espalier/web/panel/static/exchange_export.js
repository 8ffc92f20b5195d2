// Exporting: tables at once, ZIP files when they are made.

import { address, all, get, ofProject, post, remove } from "./api.js";
import { at, fill, h, when } from "./dom.js";
import { answer } from "./job.js";
import { busy, complain } from "./notices.js";
import { counted, size } from "./exchange_words.js";

const WHAT = { folders: "pictures in directories", judged: "right and wrong", bundle: "offline bundle" };
const may = document.body.dataset.role !== "viewer";

function links() {
  const version = at("version").value;
  for (const link of document.querySelectorAll("[data-take]")) {
    const { take, format } = link.dataset, of = take === "predictions" ? { version } : {};
    if (take === "predictions" && !version) link.removeAttribute("href");
    else link.href = address(ofProject(`/exports/${take}`), { format, ...of });
    link.setAttribute("aria-label", `${take === "predictions" ? "Predictions" : "Answers"} as ${format.toUpperCase()}`);
  }
}

function what() {
  const chosen = at("what").value;
  for (const part of document.querySelectorAll("[data-zip]")) {
    const kind = part.dataset.zip;
    part.hidden = kind === "bundle" ? chosen !== "bundle" : kind === "folders" ? !["answers", "predictions"].includes(chosen) : chosen === "bundle";
  }
  at("stride-row").hidden ||= !at("stride-row").dataset.videos;
}

function asked() {
  const chosen = at("what").value, version = at("version").value || null;
  if (chosen === "bundle") return { what: "bundle", version, int8: at("int8").checked };
  const by = at("by").value, stride = at("stride").valueAsNumber;
  return {
    what: chosen === "judged" ? "judged" : "folders", of: chosen === "answers" ? "answers" : "predictions",
    version: chosen === "answers" ? null : version, classifications: by ? [by] : [],
    stride: Number.isNaN(stride) ? null : stride, rest: chosen !== "judged" && at("rest").checked,
  };
}

function inside(one) {
  const told = one.told;
  if (one.kind === "bundle") return (told.notes ?? []).join("; ");
  const right = one.kind === "judged" ? `, ${told.right} right` : "";
  return `${counted(told.files, "file")} of ${counted(told.tasks, "task")}${right}${told.left ? `, ${told.left} with nothing said` : ""}`;
}

function row(one) {
  const path = ofProject(`/exports/${one.id}`), notes = one.told.problems ?? [];
  return h("div.file", {}, h("strong", {}, one.name), h("span.small.quiet", {}, [WHAT[one.kind], inside(one), size(one.size_bytes), `until ${when(one.expires_at)}`].filter(Boolean).join(" · ")),
    notes.length ? h("details", {}, h("summary", {}, counted(notes.length, "thing"), " to know"), h("ul", {}, notes.map((line) => h("li", {}, line)))) : null,
    h("div.row", {}, h("a.button", { href: address(`${path}/file`), download: one.name }, "Download"),
      may ? h("button", { type: "button", onclick: busy(() => remove(path).then(list)) }, "Remove") : null));
}

async function list() {
  const { items } = await get(ofProject("/exports"));
  fill(at("files"), items.length ? h("h3", {}, "Made so far") : may ? h("p.quiet", {}, "No ZIP file was made in the last day.") : null, items.map(row));
}

async function make() {
  const one = await answer(ofProject("/exports"), asked(), at("export-progress"));
  fill(at("export-progress"), h("p.note", { role: "status" }, `${one.name} is ready: `, h("a", { href: address(ofProject(`/exports/${one.id}/file`)), download: one.name }, "download it"), ` (${size(one.size_bytes)})`));
  await list();
}

export async function startExport(ontology) {
  links();
  at("version").addEventListener("change", links);
  if (may) {
    at("what").addEventListener("change", what);
    at("zip").addEventListener("submit", busy(make));
    what();
  }
  const [versions, runs, found] = await Promise.all([all(ofProject("/versions")), all(ofProject("/runs"), {}, 200), ontology]);
  const serves = versions.filter((one) => one.serves), others = versions.filter((one) => !one.serves && ["candidate", "promoted"].includes(one.state));
  const written = runs.filter((one) => one.kind === "labeling" && one.state === "done");
  const option = (name, words) => h("option", { value: name }, words);
  fill(at("version"), serves.map((one) => option(one.name, `${one.name} (serves)`)), others.map((one) => option(one.name, one.name)),
    written.map((one) => option(one.version, `${one.version} (a run)`)));
  if (!at("version").options.length) {
    fill(at("version"), option("", "nothing yet"));
    at("version-hint").textContent = "Nothing is predicted yet: label a few frames first.";
  }
  links();
  if (may) {
    const names = found.classifications.map((one) => one.classification ?? one.name);
    fill(at("by"), option("", "all"), names.map((name) => option(name, name)));
    at("stride-row").dataset.videos = found.media.some((one) => one.kind === "video") ? "yes" : "";
    what();
  }
  await list();
}
