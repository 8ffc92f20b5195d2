// In Label Studio's pages: a button in the label editor, and beside the frame a drawer with Espalier's own pages in it.
//
// Label Studio changes pages without loading them, and makes its editor anew at will: so nothing is remembered of it, and
// twice a second what is there is looked at. Whatever is missing, nothing happens.

(() => {
  "use strict";
  if (window.top !== window || window.espalierWatches) return;
  window.espalierWatches = true;

  const BASE = "/espalier", EVERY_MS = 400, WIDTH = "espalier-drawer-width", SAID = "espalier-said";
  const roles = new Map(); // by project: a promise of the role there; "" where Espalier or the person is not there
  let drawer = null;

  // ---- what Label Studio shows now

  function look() {
    const settings = /^\/projects\/(\d+)\/settings/.exec(location.pathname);
    const inside = /^\/projects\/(\d+)\/data/.exec(location.pathname);
    const store = window.Htx, task = store?.task?.id ?? null;
    const project = Number(inside?.[1] ?? settings?.[1] ?? window.dataManager?.projectId ?? 0) || null;
    return { project, settings: Boolean(settings), task: inside && task ? Number(task) : null, store };
  }

  function annotation() {
    return window.Htx?.annotationStore?.selected ?? null;
  }

  /** The frame under the play head, from 1; 1 for what has no frames. */
  function frame() {
    try {
      for (const tag of annotation()?.names?.values?.() ?? []) {
        if (tag.type === "video") return Math.max(1, Math.round(tag.frame) || 1);
        if (tag.type === "image" && tag.currentImage !== undefined && tag.parsedValueList?.length > 1) return tag.currentImage + 1;
      }
    } catch { /* another version's editor: the first frame will do */ }
    return 1;
  }

  /** First and last frame of what is selected on the timeline, where something is. */
  function range() {
    try {
      const spans = (annotation()?.regionStore?.selection?.list ?? annotation()?.selectedRegions ?? []).flatMap((region) => region.ranges ?? []);
      if (spans.length) return { first: Math.min(...spans.map((span) => span.start)), last: Math.max(...spans.map((span) => span.end)) };
    } catch { /* as above */ }
    return {};
  }

  function toast(message, type = "info") {
    window.dataManager?.invoke?.("toast", { message, type });
  }

  /** Once while this tab is open, whatever is loaded in it; where nothing can be shown yet, another time. */
  function sayOnce(message) {
    if (!window.dataManager || sessionStorage.getItem(SAID)) return;
    sessionStorage.setItem(SAID, "1");
    toast(message, "error");
  }

  // ---- who may

  function role(project) {
    if (!roles.has(project)) {
      roles.set(project, fetch(`${BASE}/api/v1/me`, { headers: { "X-Espalier-Project": String(project), Accept: "application/json" } })
        .then(async (answer) => {
          if (answer.ok) return (await answer.json()).role;
          if (answer.status === 502) sayOnce((await answer.json()).detail);
          setTimeout(() => roles.delete(project), 30_000);
          return "";
        })
        .catch(() => ""));
    }
    return roles.get(project);
  }

  // ---- the button

  const SHEET = `
    :host { all: initial; font-family: system-ui, sans-serif; }
    button { font: 600 14px system-ui, sans-serif; cursor: pointer; border-radius: 6px; border: 1px solid #23704a; padding: 6px 12px; background: #23704a; color: #fff; }
    button.quiet { background: transparent; color: inherit; border-color: transparent; font-weight: 400; }
    button[aria-selected="true"] { background: #e3f1e9; color: #14402a; }
    button:focus-visible { outline: 3px solid #1c61c7; outline-offset: 2px; }
    .open { position: fixed; right: 18px; bottom: 18px; z-index: 900; box-shadow: 0 2px 10px rgb(0 0 0 / .25); }
    .drawer { position: fixed; top: 0; right: 0; bottom: 0; z-index: 10001; display: grid; grid-template-rows: auto 1fr; background: #fff; color: #1b2321; box-shadow: -4px 0 18px rgb(0 0 0 / .25); min-width: 340px; max-width: 92vw; }
    .bar { display: flex; gap: 4px; align-items: center; padding: 8px; border-bottom: 1px solid #d8ded8; }
    .bar .space { flex: 1; }
    .grip { position: absolute; left: -4px; top: 0; bottom: 0; width: 8px; cursor: ew-resize; }
    .told { position: fixed; left: 50%; bottom: 18px; transform: translateX(-50%); z-index: 10002; display: flex; gap: 10px; align-items: center; max-width: 90vw; padding: 8px 8px 8px 16px; border-radius: 6px; background: #fff; color: #1b2321; border: 1px solid #23704a; box-shadow: 0 2px 10px rgb(0 0 0 / .25); font-size: 14px; }
    .told a { color: inherit; font-weight: 600; }
    iframe { border: 0; width: 100%; height: 100%; background: #f7f8f6; }
    @media (prefers-color-scheme: dark) { .drawer, .told { background: #1c2225; color: #e6ebe8; } button[aria-selected="true"] { background: #1d3327; color: #6fcf9b; } }
  `;
  let host = null, root = null;

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  }

  function ensureHost() {
    if (host?.isConnected) return;
    host = element("div", { id: "espalier" });
    root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(SHEET);
    root.adoptedStyleSheets = [sheet];
    document.body.append(host);
    if (drawer) root.append(drawer.place);
  }

  function showButton(wanted, words, act) {
    ensureHost();
    const known = root.querySelector(".open");
    if (!wanted) return known?.remove();
    if (known?.textContent === words) return;
    known?.remove();
    root.append(element("button", { class: "open", type: "button", onclick: act }, words));
  }

  // ---- the drawer

  const TABS = { label: "Automated labeling", similarity: "Similar" };

  function address(tab, now) {
    const query = new URLSearchParams({ embed: "1", project: now.project, task: now.task, frame: frame(), ...(tab === "label" ? range() : {}) });
    return `${BASE}/panel/${tab}?${query}`;
  }

  function open(tab) {
    const now = look();
    if (!now.task) return;
    if (!drawer) drawer = makeDrawer();
    ensureHost();
    if (!drawer.place.isConnected) root.append(drawer.place);
    for (const [name, button] of Object.entries(drawer.tabs)) button.setAttribute("aria-selected", String(name === tab));
    drawer.tab = tab;
    drawer.task = now.task;
    drawer.frame = frame();
    drawer.page.setAttribute("src", address(tab, now));
    drawer.tabs[tab].focus();
  }

  function close() {
    drawer?.place.remove();
    drawer = null;
    makeRoom(0);
    root?.querySelector(".open")?.focus();
  }

  /** The frame stays beside the drawer, and Label Studio's own buttons can be reached. */
  function makeRoom(width) {
    const page = document.querySelector(".app-wrapper") ?? document.body;
    page.style.width = width && width < innerWidth / 2 ? `calc(100vw - ${width}px)` : "";
    dispatchEvent(new Event("resize")); // the canvas is as large as its room
  }

  function makeDrawer() {
    const page = element("iframe", { title: "Espalier" });
    const tabs = Object.fromEntries(Object.entries(TABS).map(([name, words]) => [name, element("button", { class: "quiet", role: "tab", type: "button", onclick: () => open(name) }, words)]));
    const accept = element("button", { class: "quiet", type: "button", title: "Adds Espalier's newest answers to your annotation", onclick: acceptAll }, "Accept");
    const bar = element("div", { class: "bar" }, element("div", { role: "tablist" }, ...Object.values(tabs)), element("span", { class: "space" }), accept,
      element("button", { class: "quiet", type: "button", "aria-label": "Close", onclick: close }, "×"));
    const grip = element("div", { class: "grip", "aria-hidden": "true" });
    const place = element("aside", { class: "drawer", "aria-label": "Espalier" }, grip, bar, page);
    place.style.width = `${Number(localStorage.getItem(WIDTH)) || 420}px`;
    makeRoom(parseInt(place.style.width, 10));
    place.addEventListener("keydown", (event) => event.key === "Escape" && close());
    grip.addEventListener("pointerdown", (down) => {
      grip.setPointerCapture(down.pointerId);
      page.style.pointerEvents = "none";
      grip.onpointermove = (move) => { place.style.width = `${Math.max(340, innerWidth - move.clientX)}px`; };
      grip.onpointerup = () => {
        grip.onpointermove = grip.onpointerup = null;
        page.style.pointerEvents = "";
        localStorage.setItem(WIDTH, parseInt(place.style.width, 10));
        makeRoom(parseInt(place.style.width, 10));
      };
    });
    return { place, page, tabs, tab: "label", task: null, frame: 1 };
  }

  /** The drawer is about the task and the frame that are shown, whatever way they came to be shown. */
  function follow(now) {
    if (!drawer) return;
    if (!now.task) return close();
    if (now.task !== drawer.task) return open(drawer.tab);
    const at = frame();
    if (at === drawer.frame) return;
    drawer.frame = at;
    drawer.page.contentWindow?.postMessage({ espalier: "frame", task: now.task, frame: at }, location.origin);
  }

  // ---- what came of it

  addEventListener("message", async (event) => {
    if (event.origin !== location.origin || event.data?.espalier !== "run-done") return;
    const task = look().task;
    if (!task || (event.data.task && Number(event.data.task) !== task)) return;
    await window.dataManager?.lsf?.loadTask?.(task); // keeps what is not submitted yet
  });

  function acceptAll() {
    const store = window.Htx?.annotationStore, mine = annotation();
    const ours = (store?.predictions ?? []).filter((one) => /^espalier/i.test(one.createdBy ?? one.user?.displayName ?? "") || one.modelVersion?.startsWith?.("espalier"));
    const newest = (ours.length ? ours : store?.predictions ?? []).reduce((best, one) => (!best || Number(one.pk) > Number(best.pk) ? one : best), null);
    if (!newest) return toast("there is no prediction for this task yet: run automated labeling first", "error");
    const target = mine?.type === "annotation" && mine.editable !== false ? mine : store.annotations?.find((one) => one.editable !== false);
    if (!target) return toast("there is no annotation to add to: create one first", "error");
    // Label Studio may have begun the annotation with the prediction: what it holds is not added again.
    const same = (one) => JSON.stringify([one.from_name, one.to_name, one.type, one.value]);
    const held = new Set((target.serializeAnnotation?.() ?? []).map(same));
    const results = (newest.serializeAnnotation?.() ?? newest.versions?.result ?? []).filter((one) => !held.has(same(one)));
    if (target !== mine) store.selectAnnotation(target.id);
    if (!results.length) return toast("your annotation holds these answers already: look at them, and submit");
    target.appendResults(JSON.parse(JSON.stringify(results)));
    toast(`${results.length} answers were added; undo takes them away again`);
  }

  // ---- the Data Manager's actions: Label Studio does them, and shows nothing of what they answer

  const heard = new WeakSet(); // it makes its Data Manager anew as it makes its editor

  function hear(manager) {
    if (!manager?.on || heard.has(manager)) return;
    heard.add(manager);
    manager.on("actionDialogOkComplete", (action, done) => {
      const { said, page, goes } = done?.result ?? {};
      if (!/^espalier_/.test(action) || !page) return;
      if (goes) location.assign(page);
      else tell(said, page);
    });
  }

  function tell(said, page) {
    ensureHost();
    root.querySelector(".told")?.remove();
    const place = element("div", { class: "told", role: "status" }, said, element("a", { href: page }, "Watch it"),
      element("button", { class: "quiet", type: "button", "aria-label": "Close", onclick: () => place.remove() }, "×"));
    root.append(place);
  }

  // ---- always

  async function tick() {
    const now = look();
    try {
      hear(window.dataManager);
      const may = now.project && (now.task || now.settings) ? await role(now.project) : "";
      const same = look();
      if (same.project === now.project && same.task === now.task) {
        if (now.settings && may === "manager") showButton(true, "Espalier", () => location.assign(`${BASE}/connect?project=${now.project}`));
        else if (now.settings) showButton(await mayConnect(now.project), "Connect Espalier", () => location.assign(`${BASE}/connect?project=${now.project}`));
        else showButton(Boolean(now.task) && (may === "annotator" || may === "manager"), "Automated labeling", () => open("label"));
        follow(may ? now : { ...now, task: null });
      }
    } catch { /* Label Studio's page matters more than ours */ }
    setTimeout(tick, EVERY_MS);
  }

  const connectable = new Map();
  function mayConnect(project) {
    if (!connectable.has(project)) connectable.set(project, fetch(`${BASE}/connect?project=${project}`).then((answer) => answer.ok, () => false));
    return connectable.get(project);
  }

  tick();
})();
