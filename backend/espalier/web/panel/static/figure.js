// Plotly's figures, made by the server and drawn here. Plotly itself comes only once a figure is near the window.

import { h } from "./dom.js";

let loading = null;

/** Plotly puts its rules into a sheet of this id where there is one; a sheet that it makes itself the page may not have. */
function sheet() {
  return new Promise((resolve, reject) => {
    const link = h("link", { id: "plotly.js-style-global", rel: "stylesheet", href: new URL("./plotly.css", import.meta.url).href });
    link.onload = resolve;
    link.onerror = () => reject(new Error("the sheet of the figures could not be loaded"));
    document.head.append(link);
  });
}

async function load() {
  await sheet();
  // The maps within it bring a sheet of their own, unless an element has its id, which is a digest: nobody needs it here.
  document.getElementById = (id) => Document.prototype.getElementById.call(document, id) ?? (/^[0-9a-f]{64}$/.test(id) ? document.head : null);
  try {
    await new Promise((resolve, reject) => {
      const script = h("script", { src: document.body.dataset.plotly });
      script.onload = resolve;
      script.onerror = () => reject(new Error("the library that draws figures could not be loaded"));
      document.head.append(script);
    });
  } finally {
    delete document.getElementById;
  }
  return window.Plotly;
}

function plotly() {
  loading ??= load();
  return loading;
}

function seen(place) {
  return new Promise((resolve) => {
    const watch = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watch.disconnect();
      resolve();
    }, { rootMargin: "300px" });
    watch.observe(place);
  });
}

/** The colours of the page as they are now, for a figure that knows none. */
function dressed(layout) {
  const probe = h("span", { style: { color: "var(--ink)", "background-color": "var(--line)" } });
  document.body.append(probe);
  const { color, backgroundColor } = getComputedStyle(probe);
  probe.remove();
  const axis = { gridcolor: backgroundColor, zerolinecolor: backgroundColor, linecolor: backgroundColor, automargin: true };
  const axes = { xaxis: axis, yaxis: axis };
  for (const key of Object.keys(layout)) if (/^[xy]axis/.test(key)) axes[key] = { ...axis, ...layout[key] };
  return { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color, size: 13 }, margin: { l: 48, r: 12, t: 36, b: 44 }, ...layout, ...axes };
}

/** Draws `figure` ({data, layout}) in `place`; `clicked(point)` hears clicks. Redrawn in place when called again. */
export async function draw(place, figure, { clicked } = {}) {
  await seen(place);
  const Plotly = await plotly();
  const options = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["sendDataToCloud", "select2d", "lasso2d"] };
  await Plotly.react(place, figure.data, dressed(figure.layout ?? {}), options);
  if (clicked && !place.dataset.hears) {
    place.dataset.hears = "1";
    place.on("plotly_click", (event) => place.clicked(event.points[0]));
  }
  place.clicked = clicked;
}
