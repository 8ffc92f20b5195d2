// What is searched for: frames and pictures, each for or against, or words.

import { address, ofProject, upload } from "./api.js";
import { at, fill, h } from "./dom.js";
import { complain, say } from "./notices.js";
import { thumbnail } from "./pictures.js";
import { words } from "./similarity_frame.js";

function isSame(one, other) {
  return one.picture || other.picture ? one.picture === other.picture : one.task === other.task && (one.frame ?? 0) === (other.frame ?? 0) && (one.tag ?? "") === (other.tag ?? "");
}

/** "12.34.tag" and back. */
const written = (one) => [one.task, one.frame ?? "", one.tag ?? ""].join(".").replace(/\.+$/, "");
function read(text) {
  const [task, frame, ...tag] = text.split(".");
  return Number(task) > 0 ? { task: Number(task), frame: Number(frame) || undefined, tag: tag.join(".") || undefined } : null;
}

export class Query {
  /** `changed(byPerson)` is called when something else is searched for. */
  constructor(asked, changed) {
    Object.assign(this, { changed, examples: [], text: asked.get("text") ?? "" });
    const one = asked.get("task") && read([asked.get("task"), asked.get("frame") ?? "", asked.get("tag") ?? ""].join("."));
    if (one) this.examples.push({ ...one, sign: 1 });
    for (const [name, sign] of [["like", 1], ["unlike", -1]]) {
      for (const text of (asked.get(name) ?? "").split(",").filter(Boolean)) {
        const example = read(text);
        if (example && !this.examples.some((other) => isSame(example, other))) this.examples.push({ ...example, sign });
      }
    }
    this.#listen();
    this.draw();
  }

  /** The API's query; null where there is none yet. */
  get request() {
    if (this.text) return { text: this.text };
    const as = ({ task, frame, tag, picture }) => (picture ? { picture } : JSON.parse(JSON.stringify({ task, frame, tag })));
    const [positives, negatives] = [1, -1].map((sign) => this.examples.filter((one) => one.sign === sign).map(as));
    if (!positives.length) return null;
    if (positives.length === 1 && !negatives.length) return positives[0];
    return { positives, ...(negatives.length ? { negatives } : {}) };
  }

  /** For the page's address; pictures lie on the server for an hour only, and are not in it. */
  get values() {
    const frames = this.examples.filter((one) => one.task);
    if (this.text) return { text: this.text };
    if (frames.length === 1 && frames[0].sign > 0) return { task: frames[0].task, frame: frames[0].frame, tag: frames[0].tag };
    const of = (sign) => frames.filter((one) => one.sign === sign).map(written).join(",");
    return { like: of(1), unlike: of(-1) };
  }

  /** This alone is searched for. */
  like(example, byPerson = true) {
    this.examples = [{ ...example, sign: 1 }];
    this.#set(byPerson);
  }

  /** One more example, for (1) or against (-1); the same again is taken back. */
  add(example, sign) {
    const known = this.examples.find((one) => isSame(one, example));
    this.examples = this.examples.filter((one) => one !== known);
    if (known?.sign !== sign) this.examples.push({ ...example, sign });
    this.#set(true);
  }

  sign(hit) {
    return this.examples.find((one) => isSame(one, hit))?.sign ?? 0;
  }

  #set(byPerson) {
    this.text = at("text").value = "";
    this.draw();
    this.changed(byPerson);
  }

  draw() {
    at("text").value = this.text;
    const chips = this.examples.map((one) => {
      const where = one.picture ? one.name : words({ time_s: null, frame: 1, ...one });
      const source = one.picture ? one.url : one.id ? thumbnail(one.id, 96) : address(ofProject(`/tasks/${one.task}/thumbnail`), { frame: one.frame, tag: one.tag, size: 96 });
      const [meaning, sign] = one.sign > 0 ? ["Like", "+"] : ["Not like", "−"];
      return h(`li.example${one.sign > 0 ? "" : ".against"}`, {},
        h("button.plain", { type: "button", title: `${meaning} ${where}: click to turn round`, "aria-label": `${meaning} ${where}; turn round`, onclick: () => this.add(one, -one.sign) },
          h("img", { src: source, alt: "", width: 56, height: 42 }), h("span.sign", {}, sign)),
        h("span.small", {}, where),
        h("button.plain", { type: "button", "aria-label": `Remove ${where}`, onclick: () => this.add(one, one.sign) }, "×"));
    });
    const onlyAgainst = this.examples.length && !this.request;
    fill(at("examples"), chips.length ? chips : h("li.quiet", {}, "Nothing yet: press ≈ on a frame, or give a picture."),
      onlyAgainst ? h("li.note.warn", {}, "These say what is not meant: add one that is (+).") : null);
  }

  async picture(file) {
    if (!file.type.startsWith("image/")) return say(`${file.name || "this"} is no picture: give a JPEG, PNG or WebP`, "bad");
    at("drop").setAttribute("aria-busy", "true");
    try {
      const told = await upload(ofProject("/uploads"), file);
      this.add({ picture: told.picture, name: file.name || "pasted picture", url: URL.createObjectURL(file) }, 1);
    } catch (error) {
      complain(error);
    }
    at("drop").removeAttribute("aria-busy");
  }

  #listen() {
    const drop = at("drop"), files = (list) => [...(list ?? [])].filter((file) => file instanceof File).forEach((file) => this.picture(file));
    at("file").addEventListener("change", (event) => {
      files(event.target.files);
      event.target.value = "";
    });
    for (const name of ["dragover", "dragleave", "drop"]) {
      addEventListener(name, (event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault(); // else the browser leaves the page for the file
        drop.classList.toggle("over", name === "dragover");
        if (name === "drop") files(event.dataTransfer.files);
      });
    }
    addEventListener("paste", (event) => files(event.clipboardData?.files));
    at("of-task").addEventListener("submit", (event) => {
      event.preventDefault();
      const { task, frame } = event.target.elements;
      this.add({ task: Number(task.value), frame: Number(frame.value) || undefined }, 1);
      event.target.reset();
    });
    at("of-text").addEventListener("submit", (event) => {
      event.preventDefault();
      this.text = at("text").value.trim();
      if (this.text) this.examples = [];
      this.draw();
      this.changed(true);
    });
  }
}
