// What every page does: the theme, the choice of a project, keys.

import { h } from "./dom.js";

const root = document.documentElement;

document.getElementById("theme")?.addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("espalier-theme", root.dataset.theme);
  dispatchEvent(new Event("themechange"));
});

document.getElementById("project")?.addEventListener("change", (event) => {
  const here = new URL(location.href);
  for (const name of [...here.searchParams.keys()]) if (name !== "embed") here.searchParams.delete(name);
  here.searchParams.set("project", event.target.value);
  location.assign(here);
});

/** `keys(["a", "approve", act], ...)`: single keys, while nobody is typing; "?" shows them all. */
export function keys(...bindings) {
  const rows = bindings.map(([key, words]) => h("tr", {}, h("td", {}, h("kbd", {}, key)), h("td", {}, words)));
  const close = h("button", { onclick: () => dialog.close() }, "Close");
  const dialog = h("dialog", { "aria-label": "Keys" }, h("h2", {}, "Keys"), h("table", {}, h("tbody", {}, rows)), close);
  document.body.append(dialog);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.("input:not([type=checkbox]), select, textarea, dialog")) return;
    if (event.key === "?") return dialog.showModal();
    const found = bindings.find(([key]) => key.split(" / ").includes(event.key));
    if (!found) return;
    event.preventDefault();
    found[2](event);
  });
  return dialog;
}
