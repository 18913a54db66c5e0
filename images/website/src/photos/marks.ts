/**
 * The listed sequences on the map: a dot for each, as its line is too thin to be seen from far away, and the one under the
 * pointer drawn bold, be the pointer in the list or on the map.
 */
import type { CoverageMap, LibreMap } from "../core/map";
import type { Row } from "./rows";

const COLOUR = "#ff6f00";
const POINTED = "#1c5fd4";
/** From here on the viewer draws single pictures, and the middle of a winding line would only mislead. */
const CLOSE = 15;
const NOBODY = "";

interface LayerEvent {
  features?: { properties: { id: string } }[];
}

export interface Marks {
  show(rows: readonly Row[]): void;
  point(id: string | null): void;
}

export function dots(rows: readonly Row[]): object {
  const features = rows.flatMap(({ id, box }) =>
    box ? [{ type: "Feature", properties: { id }, geometry: { type: "Point", coordinates: [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2] } }] : [],
  );
  return { type: "FeatureCollection", features };
}

const isId = (id: string): unknown[] => ["==", ["get", "id"], id];

/** The viewer's own line of the pointed sequence, once more and bold; returns what to call with its identifier. */
function boldLine(map: LibreMap): (id: string) => void {
  const line = map.getStyle().layers.find((one) => one.id.endsWith("_sequences") && one.source !== "geovisio");
  if (!line?.source) return () => undefined;
  map.addLayer({
    id: "pointed-line",
    type: "line",
    source: line.source,
    "source-layer": "sequences",
    filter: isId(NOBODY),
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": POINTED, "line-width": 6 },
  });
  return (id) => map.setFilter("pointed-line", isId(id));
}

/**
 * @param onPoint told over which sequence the pointer is on the map, null for none
 * @param onPick told which sequence was clicked there
 */
export function marks({ map }: CoverageMap, onPoint: (id: string | null) => void, onPick: (id: string) => void): Marks {
  const sequence = (event: LayerEvent): string | null => event.features?.[0]?.properties.id ?? null;
  let pointed = NOBODY;
  const bold = boldLine(map);
  map.addSource("marks", { type: "geojson", data: dots([]) });
  const dot = { "circle-radius": 6, "circle-color": COLOUR, "circle-stroke-color": "#fff", "circle-stroke-width": 2 };
  map.addLayer({ id: "marks", type: "circle", source: "marks", maxzoom: CLOSE, paint: dot });
  const large = { "circle-radius": 10, "circle-color": POINTED, "circle-stroke-color": "#fff", "circle-stroke-width": 2.5 };
  map.addLayer({ id: "pointed-mark", type: "circle", source: "marks", maxzoom: CLOSE, filter: isId(NOBODY), paint: large });
  // The viewer's wide invisible lines are easier to meet than the thin ones in sight.
  const lines = map.getStyle().layers.filter((one) => one.id.endsWith("_sequences_plus"));
  for (const { id } of [{ id: "marks" }, ...lines]) {
    map.on("mousemove", id, (event: LayerEvent) => onPoint(sequence(event)));
    map.on("mouseleave", id, () => onPoint(null));
    map.on("click", id, (event: LayerEvent) => {
      const picked = sequence(event);
      if (picked) onPick(picked);
    });
  }
  return {
    show: (rows) => map.getSource("marks")?.setData(dots(rows)),
    point(id) {
      if (pointed === (id ?? NOBODY)) return;
      pointed = id ?? NOBODY;
      bold(pointed);
      map.setFilter("pointed-mark", isId(pointed));
    },
  };
}
