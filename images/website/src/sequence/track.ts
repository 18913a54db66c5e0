/** The track of a sequence on the map: a line through its photos and a dot for each. */
import { coverageMap, type CoverageMap } from "../core/map";
import type { Photo } from "./photos";

const NONE = { type: "FeatureCollection", features: [] };
const COLOUR = "#ff6f00";

type Point = [number, number];

function line(photos: readonly Photo[]): object {
  const coordinates = photos.flatMap((one) => (one.place ? [one.place] : []));
  const points = photos.flatMap((one) =>
    one.place ? [{ type: "Feature", properties: { id: one.id }, geometry: { type: "Point", coordinates: one.place } }] : [],
  );
  return {
    type: "FeatureCollection",
    features: [{ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates } }, ...points],
  };
}

/** West, south, east and north of the photos; null without any place. */
export function extent(photos: readonly Photo[]): [number, number, number, number] | null {
  const places = photos.flatMap((one): Point[] => (one.place ? [one.place] : []));
  if (!places.length) return null;
  return places.reduce<[number, number, number, number]>(
    ([west, south, east, north], [lon, lat]) => [Math.min(west, lon), Math.min(south, lat), Math.max(east, lon), Math.max(north, lat)],
    [Infinity, Infinity, -Infinity, -Infinity],
  );
}

export class Track {
  private constructor(private readonly view: CoverageMap) {}

  /** Draws the map; `onPoint` is told over which photo the pointer is, null for none. */
  static async show(place: HTMLElement, owner: string, onPoint: (photo: string | null) => void): Promise<Track> {
    const view = await coverageMap(place, owner);
    const { map } = view;
    map.addSource("track", { type: "geojson", data: NONE });
    map.addSource("pointed", { type: "geojson", data: NONE });
    const casing = { "line-color": "#fff", "line-width": 6 };
    map.addLayer({ id: "track-casing", type: "line", source: "track", filter: ["==", ["geometry-type"], "LineString"], paint: casing });
    map.addLayer({ id: "track-line", type: "line", source: "track", filter: ["==", ["geometry-type"], "LineString"], paint: { "line-color": COLOUR, "line-width": 3 } });
    const dot = { "circle-radius": 5, "circle-color": COLOUR, "circle-stroke-color": "#fff", "circle-stroke-width": 1.5 };
    map.addLayer({ id: "track-dots", type: "circle", source: "track", filter: ["==", ["geometry-type"], "Point"], paint: dot });
    const ring = { "circle-radius": 9, "circle-color": "#1c5fd4", "circle-stroke-color": "#fff", "circle-stroke-width": 2.5 };
    map.addLayer({ id: "track-pointed", type: "circle", source: "pointed", paint: ring });
    map.on("mousemove", "track-dots", (event: { features?: { properties: { id: string } }[] }) => {
      onPoint(event.features?.[0]?.properties.id ?? null);
    });
    map.on("mouseleave", "track-dots", () => onPoint(null));
    return new Track(view);
  }

  draw(photos: readonly Photo[]): void {
    this.view.map.getSource("track")?.setData(line(photos));
    const box = extent(photos);
    if (box) this.view.map.fitBounds(box, { padding: 40, maxZoom: 18, animate: false });
  }

  point(photo: Photo | null): void {
    const data = photo?.place ? { type: "Feature", properties: {}, geometry: { type: "Point", coordinates: photo.place } } : NONE;
    this.view.map.getSource("pointed")?.setData(data);
  }
}
