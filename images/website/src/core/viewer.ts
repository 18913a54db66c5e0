/** Loads the Panoramax viewer, a large classic script, only on the pages that show it. */
import { el } from "./dom";
import pinned from "../../tools/viewer.json";

const BASE = `/vendor/web-viewer-${pinned.version}`;

/** The viewer's elements have methods that TypeScript cannot know of. */
export type ViewerElement = HTMLElement & { onceReady?: () => Promise<void> };

/**
 * The viewer takes a person for signed in only if it can read a cookie named `session`. The real one is HttpOnly and
 * has another name, so it gets a dummy that carries nothing and that the API ignores.
 */
function dummyCookie(): void {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `session=1; Path=/; SameSite=Strict${secure}`;
}

export function loadViewer(): Promise<void> {
  dummyCookie();
  document.head.append(el("link", { rel: "stylesheet", href: `${BASE}/index.css` }));
  return new Promise((resolve, reject) => {
    const script = el("script", { src: `${BASE}/index.js` });
    script.addEventListener("load", () => resolve());
    script.addEventListener("error", () => reject(new Error("the viewer's script could not be loaded")));
    document.head.append(script);
  });
}
