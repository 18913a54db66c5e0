// Makes the map's own background: the world's countries, without names, from world-atlas (Natural Earth data).
// Nothing is fetched from a map server, so nobody outside learns which places are looked at.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { feature, mesh } from "topojson-client";

const DECIMALS = 3; // about 100 m, finer than the source's own 1:50,000,000

const dist = process.argv[2] ?? "dist";
const atlas = JSON.parse(readFileSync(createRequire(import.meta.url).resolve("world-atlas/countries-50m.json"), "utf8"));

const round = (ring) => {
  const points = ring.map(([lon, lat]) => [Number(lon.toFixed(DECIMALS)), Number(lat.toFixed(DECIMALS))]);
  return points.filter((point, index) => index === 0 || point.join() !== points[index - 1].join());
};

// The source's rings jump from 180° to -180°, which a flat map draws as a line around the world. Here they go on beyond
// 180° instead, which MapLibre wraps. Antarctica's then ends 360° from its start and is closed along the pole.
const unwrap = (ring) => {
  let shift = 0;
  const open = ring.map(([lon, lat], index) => {
    const step = index === 0 ? 0 : lon - ring[index - 1][0];
    if (Math.abs(step) > 180) shift -= 360 * Math.sign(step);
    return [lon + shift, lat];
  });
  const [first, last] = [open[0], open.at(-1)];
  return Math.abs(last[0] - first[0]) < 180 ? open : [...open, [last[0], -90], [first[0], -90], first];
};

// One feature per polygon: MapLibre draws the large multi-polygons wrongly.
const polygons = feature(atlas, atlas.objects.countries).features.flatMap(({ geometry }) =>
  geometry === null ? [] : geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates,
);
const land = polygons
  .map((rings) => rings.map((ring) => round(unwrap(ring))).filter((ring) => ring.length >= 4))
  .filter((rings) => rings.length > 0)
  .map((coordinates) => ({ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates } }));
const borders = mesh(atlas, atlas.objects.countries, (a, b) => a !== b).coordinates.map((line) => ({
  type: "Feature",
  properties: {},
  geometry: { type: "LineString", coordinates: round(line) },
}));
const countries = JSON.stringify({ type: "FeatureCollection", features: [...land, ...borders] });

// A fixed name: role `website` refers to it in styles with the operator's own map.
mkdirSync(join(dist, "map/own"), { recursive: true }); // an operator's own file is mounted in there
writeFileSync(join(dist, "map/countries.json"), countries);
writeFileSync(
  join(dist, "map-style.json"),
  JSON.stringify({
    version: 8,
    name: "plain",
    sources: {
      countries: { type: "geojson", data: "/map/countries.json", attribution: "Natural Earth", maxzoom: 8, tolerance: 0.2 },
    },
    layers: [
      { id: "background", type: "background", paint: { "background-color": "#cfdde6" } },
      { id: "land", type: "fill", source: "countries", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": "#f4f3ee", "fill-antialias": false } },
      {
        id: "borders",
        type: "line",
        source: "countries",
        filter: ["==", ["geometry-type"], "LineString"],
        paint: {
          "line-color": "#c3c7cc",
          "line-width": ["interpolate", ["linear"], ["zoom"], 2, 0.5, 8, 1.2],
          "line-opacity": ["interpolate", ["linear"], ["zoom"], 8, 1, 11, 0],
        },
      },
    ],
  }),
);
