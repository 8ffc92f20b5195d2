// Importing: a file is sent, looked at, and then given; what it would do is told before.

import { get, ofProject, post, upload } from "./api.js";
import { at, fill, h } from "./dom.js";
import { answer, show } from "./job.js";
import { busy, complain, say } from "./notices.js";
import { problems, report } from "./exchange_report.js";
import { counted, recalled, remember, size } from "./exchange_words.js";

let file = null, told = null, names = [];
let columns = {};
let turn = 0;

function asked() {
  const as = at("as").value, is_new = !at("upload-row").hidden && at("upload").checked;
  return { file: file.file, as, columns, upload: is_new, with_parents: at("with_parents").checked,
    ...(as === "annotations" ? { also_annotated: at("also_annotated").checked } : {}) };
}

function showColumns() {
  at("columns").hidden = !told.columns.length;
  fill(at("columns-rows"), told.columns.map((column, number) => {
    const about = column.meaning.replace(/^labels of /, ""), is_label = column.meaning.startsWith("labels");
    const fixed = column.meaning && !is_label;
    const id = `column-${number}`, chosen = !is_label ? "" : column.meaning === "labels" ? "*" : about;
    const options = [["", fixed ? column.meaning : "left out"], ...(fixed ? [] : names.map((name) => [name, `labels of ${name}`])), ...(fixed ? [] : [["*", "labels; each says itself of what"]])];
    const select = h("select", { id, disabled: fixed, onchange: (event) => { columns = { ...columns, [column.name]: event.target.value }; look().catch(complain); } },
      options.map(([value, words]) => h("option", { value, selected: value === chosen }, words)));
    return h("div.column", {}, h("label", { for: id }, column.name || `column ${number + 1}`), select);
  }));
}

function showReport() {
  const new_pictures = asked().upload ? told.missing : 0;
  fill(at("report"), report(told, asked().upload));
  at("start").disabled = !(told.counts?.written || new_pictures);
}

async function look() {
  const mine = ++turn;
  at("also-row").hidden = at("as").value !== "annotations";
  at("start").disabled = true;
  try {
    const found = await answer(ofProject("/imports/preview"), asked(), at("import-progress"));
    if (mine !== turn) return;
    told = found;
    at("upload-row").hidden = told.kind !== "pictures";
    showColumns();
    showReport();
  } catch (error) {
    if (mine === turn) fill(at("report"), h("p.note.bad", {}, error.message));
  }
  if (mine === turn) fill(at("import-progress"));
}

async function take(given) {
  file = given;
  columns = {};
  remember({ file: file.file, run: null });
  at("drop").hidden = true;
  at("how").hidden = false;
  at("chosen").hidden = false;
  fill(at("chosen"), h("strong", {}, file.name), file.size_bytes ? ` · ${size(file.size_bytes)}` : "");
  fill(at("report"));
  await look();
}

async function send(picked) {
  fill(at("import-progress"), h("p", { role: "status" }, `sending ${picked.name} (${size(picked.size)})…`));
  try {
    await take(await upload(ofProject("/imports/files"), picked, { name: picked.name }));
  } catch (error) {
    fill(at("import-progress"));
    complain(error);
  }
}

function forget() {
  turn++;
  file = told = null;
  remember({ file: null, run: null });
  at("file").value = "";
  at("drop").hidden = false;
  for (const id of ["how", "chosen", "columns"]) at(id).hidden = true;
  for (const id of ["report", "import-progress"]) fill(at(id));
}

async function undo(run) {
  const done = await answer(`/runs/${run}/undo`, {}, at("import-progress"));
  fill(at("import-progress"));
  fill(at("report"), h("p.note", {}, done.message || `${done.deleted} deleted`));
  say("the import was undone", "good");
}

async function ended(run, looked) {
  const last = await get(`/runs/${run}`);
  const label = new URL(location.href);
  label.pathname = label.pathname.replace(/[^/]*$/, "label");
  label.searchParams.delete("file");
  label.searchParams.set("run", run);
  const alive = ["queued", "running"].includes(last.state);
  if (alive) {
    await show(last.job, at("import-progress"), { title: "Giving the labels" });
    return ended(run, looked);
  }
  fill(at("import-progress"));
  fill(at("report"), h(`p.note${last.state === "done" || last.state === "undone" ? "" : ".bad"}`, {}, h("strong", {}, last.state), `: ${last.message}`,
    looked?.uploaded ? `; ${counted(looked.uploaded, "picture")} imported into Label Studio` : ""),
    h("div.row", {}, last.state === "undone" ? null : h("button", { type: "button", onclick: busy(() => undo(run)) }, "Undo this import"),
      h("a.button", { href: String(label) }, "All runs")), looked ? problems(looked) : null);
}

async function start() {
  at("start").disabled = true;
  const begun = await answer(ofProject("/imports"), asked(), at("import-progress"));
  remember({ run: begun.run });
  fill(at("report"));
  await ended(begun.run, begun.looked);
  at("how").hidden = true;
  at("columns").hidden = true;
  at("drop").hidden = false;
  at("chosen").hidden = true;
  at("file").value = "";
  remember({ file: null });
}

export async function startImport(ontology) {
  const drop = at("drop");
  at("file").addEventListener("change", (event) => event.target.files[0] && send(event.target.files[0]));
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files[0]) send(event.dataTransfer.files[0]);
  });
  at("forget").addEventListener("click", forget);
  at("import").addEventListener("submit", busy(start));
  for (const id of ["as", "upload", "with_parents", "also_annotated"]) at(id).addEventListener("change", () => look().catch(complain));
  names = (await ontology).classifications.map((one) => one.classification ?? one.name);
  const run = recalled("run"), kept = recalled("file");
  if (run) await ended(run);
  else if (kept) await take({ file: kept, name: "the file that was sent" });
}
