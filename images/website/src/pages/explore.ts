/** Explore: the real Panoramax viewer over the whole page. */
import { el, need } from "../core/dom";
import { language, t } from "../core/i18n";
import { start } from "../core/page";
import { loadViewer } from "../core/viewer";

await start();
const main = need("main");
try {
  await loadViewer();
  const viewer = el("pnx-viewer" as keyof HTMLElementTagNameMap, {
    id: "viewer",
    lang: language(),
    "map-style": "/map-style.json",
    geocoder: "/geocoder/search",
  });
  // Setting the endpoint starts the viewer with the attributes it has by then, so it comes last.
  viewer.setAttribute("endpoint", "/api");
  main.replaceChildren(viewer);
} catch (error) {
  console.warn(error);
  main.replaceChildren(el("p", { class: "viewer-wait", role: "alert" }, t("explore.failed")));
}
