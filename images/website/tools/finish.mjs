// Last step of the build: puts the licences of what is shipped beside it, refuses a site that would call a third party
// by itself, then compresses what is worth it (nginx serves the .gz files as they are).
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
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
  "ns.adobe.com", // how XMP begins
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

/** What all our own scripts together may weigh, compressed: people upload from the road. The viewer is not ours. */
const SCRIPTS_MOST = 60_000;

/** Packages of which something is shipped as it is, and whose licence has to travel with it. */
const SHIPPED = { inter: "@fontsource-variable/inter", "world-atlas": "world-atlas" };
const MODULES = join(dirname(fileURLToPath(import.meta.url)), "../node_modules");

const dist = process.argv[2] ?? "dist";
mkdirSync(join(dist, "vendor/licences"), { recursive: true });
for (const [name, path] of Object.entries(SHIPPED)) {
  const licence = readdirSync(join(MODULES, path)).find((file) => /^licen[cs]e/i.test(file));
  if (licence === undefined) throw new Error(`${path} has no licence file any more`);
  cpSync(join(MODULES, path, licence), join(dist, `vendor/licences/${name}.txt`));
}
// The sign-in pages, which are no part of this build, show their texts in the same font from here.
mkdirSync(join(dist, "vendor/inter"));
cpSync(join(MODULES, SHIPPED.inter, "files/inter-latin-wght-normal.woff2"), join(dist, "vendor/inter/latin.woff2"));
const files = readdirSync(dist, { recursive: true })
  .map((name) => join(dist, name))
  .filter((path) => statSync(path).isFile() && TEXT.has(extname(path)))
  .filter((path) => !relative(dist, path).startsWith(join("vendor", "licences")));

let scripts = 0;
for (const path of files) {
  const content = readFileSync(path);
  for (const [, host] of content.toString("utf8").matchAll(/https?:\/\/([a-zA-Z0-9.-]+)/g)) {
    if (!KNOWN_HOSTS.has(host)) throw new Error(`${relative(dist, path)} names the host ${host}, which is not known`);
  }
  const compressed = gzipSync(content, { level: 9 });
  if (relative(dist, path).startsWith("assets") && path.endsWith(".js")) scripts += compressed.length;
  if (content.length > 1024) writeFileSync(`${path}.gz`, compressed);
}
if (scripts > SCRIPTS_MOST) throw new Error(`our own scripts weigh ${scripts} bytes compressed, ${SCRIPTS_MOST} are allowed`);
console.log(`our own scripts: ${scripts} of ${SCRIPTS_MOST} bytes, compressed`);
