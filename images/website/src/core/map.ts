/** The viewer's map of one person's pictures, for the pages that show a map beside a list. */
import { el } from "./dom";
import { language } from "./i18n";
import { loadViewer } from "./viewer";

export interface Bounds {
  getWest(): number;
  getSouth(): number;
  getEast(): number;
  getNorth(): number;
}

/** What these pages use of the MapLibre map inside the viewer's element. */
export interface LibreMap {
  getBounds(): Bounds;
  fitBounds(box: [number, number, number, number], options: object): void;
  addSource(name: string, source: object): void;
  getSource(name: string): { setData(data: object): void } | undefined;
  addLayer(layer: object): void;
  setFilter(layer: string, filter: unknown[]): void;
  getStyle(): { layers: { id: string; source?: string }[] };
  on(event: string, ...handlers: unknown[]): void;
}

export interface CoverageMap extends HTMLElement {
  map: LibreMap;
  onceReady(): Promise<void>;
}

/**
 * Puts the map of a person's own pictures, hidden ones included, into a place and waits until it is drawn.
 * @throws Error when the viewer cannot be loaded
 */
export async function coverageMap(place: HTMLElement, person: string): Promise<CoverageMap> {
  await loadViewer();
  const made = el("pnx-coverage-map" as keyof HTMLElementTagNameMap, {
    class: "map-view",
    lang: language(),
    "map-style": "/map-style.json",
    users: JSON.stringify([person]),
  }) as unknown as CoverageMap;
  // Setting the endpoint starts the map with the attributes it has by then, so it comes last.
  made.setAttribute("endpoint", "/api");
  place.append(made);
  await customElements.whenDefined("pnx-coverage-map");
  await made.onceReady();
  return made;
}
