/** Explore: the real Panoramax viewer over the whole page. */
import { el, need } from "../core/dom";
import { visibleExtent } from "../core/extent";
import { language, t } from "../core/i18n";
import { start } from "../core/page";
import { loadViewer } from "../core/viewer";

/** Where the viewer keeps the last position; it goes before any other. */
const LAST_POSITION = "pnx-map-parameters";
/** Closer than this a lone picture would stand on an empty plane. */
const CLOSEST = 16;

async function mapOptions(): Promise<Record<string, unknown>> {
  if (localStorage.getItem(LAST_POSITION) || /[?&](?:map|pic|seq)=/.test(location.search)) return {};
  const box = await visibleExtent();
  return box ? { bounds: box, fitBoundsOptions: { padding: 60, maxZoom: CLOSEST } } : {};
}

await start();
const main = need("main");
try {
  const [options] = await Promise.all([mapOptions(), loadViewer()]);
  const viewer = el("pnx-viewer" as keyof HTMLElementTagNameMap, {
    id: "viewer",
    lang: language(),
    "map-style": "/map-style.json",
    "map-options": JSON.stringify(options),
  });
  // Setting the endpoint starts the viewer with the attributes it has by then, so it comes last.
  viewer.setAttribute("endpoint", "/api");
  main.replaceChildren(viewer);
} catch (error) {
  console.warn(error);
  main.replaceChildren(el("p", { class: "viewer-wait", role: "alert" }, t("explore.failed")));
}
