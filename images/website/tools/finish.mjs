// Last step of the build: refuses a site that would call a third party by itself, then compresses what is worth it
// (nginx serves the .gz files as they are).
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { extname, join, relative } from "node:path";
import { gzipSync } from "node:zlib";

/**
 * Hosts whose addresses may stand in the built files. None is called by itself: they are links that a person clicks,
 * XML name spaces, and names in licence comments. A host that is not here fails the build.
 */
const KNOWN_HOSTS = new Set([
  "127.0.0.1", // JOSM's remote control, on a click
  "docs.panoramax.fr",
  "exiv2.org",
  "fontawesome.com",
  "github.com",
  "gitlab.com",
  "maplibre.org",
  "opensource.org",
  "openstreetmap.org",
  "wiki.openstreetmap.org",
  "www.8thwall.com",
  "www.opengis.net",
  "www.openstreetmap.org",
  "www.w3.org",
  "www.wikidata.org",
]);
const TEXT = new Set([".html", ".js", ".css", ".json", ".svg", ".txt"]);

const dist = process.argv[2] ?? "dist";
const files = readdirSync(dist, { recursive: true })
  .map((name) => join(dist, name))
  .filter((path) => statSync(path).isFile() && TEXT.has(extname(path)));

for (const path of files) {
  const content = readFileSync(path);
  for (const [, host] of content.toString("utf8").matchAll(/https?:\/\/([a-zA-Z0-9.-]+)/g)) {
    if (!KNOWN_HOSTS.has(host)) throw new Error(`${relative(dist, path)} names the host ${host}, which is not known`);
  }
  if (content.length > 1024) writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
}
