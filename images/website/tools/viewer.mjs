// Copies the pinned Panoramax viewer into the built site, with every address of a third party that it would call by
// itself pointed back at this site. Fails if a substitution does not match exactly once, so that a new viewer version
// cannot bring a call back unseen.
//
// The package is fetched alone (npm pack, checked against the pinned sha512): its bundle contains all it needs, while
// installing it would bring 51 packages that nothing here uses.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const PINNED = JSON.parse(readFileSync(join(HERE, "viewer.json"), "utf8"));
const TARGET = `vendor/web-viewer-${PINNED.version}`;

/** What is replaced in the bundle, and why. `location.origin` where the viewer needs a whole address. */
export const SUBSTITUTIONS = [
  // Presets of semantic tags and the sprite of traffic signs, asked for at every start.
  ['return"https://presets.panoramax.fr"', 'return location.origin+"/presets"'],
  // Address of the shown picture: sends its coordinates.
  ['return"https://nominatim.openstreetmap.org"', 'return location.origin+"/geocoder"'],
  ['return"https://data.geopf.fr/geocodage/search"', 'return location.origin+"/geocoder/search"'],
  // Map background where no style is given.
  ['return"https://panoramax.openstreetmap.fr/pmtiles/basic.json"', 'return"/map-style.json"'],
  // Measures the speed of the connection with a picture of a public instance.
  [
    'return"https://panoramax.openstreetmap.fr/images/05/ca/2c/98/0111-4baf-b6f3-587bb8847d2e.jpg"',
    `return"/${TARGET}/index.css"`,
  ],
  // Icons of tags, from three hosts in turn.
  ['["https://api.iconify.design"]', '["/iconify"]'],
  ['["https://api.simplesvg.com","https://api.unisvg.com"]', "[]"],
  ["https://raw.githubusercontent.com/rapideditor/temaki/refs/heads/main/icons/", "/iconify/temaki/"],
  // Descriptions of wikidata tags.
  ['return"https://www.wikidata.org/w/rest.php/wikibase/v1"', 'return location.origin+"/presets/wikidata"'],
  // Links to, and logos from, the public federation, which this instance is no part of.
  ['return"https://panoramax.fr"', "return location.origin"],
  ['return"https://explore.panoramax.fr"', 'return location.origin+"/explore"'],
  // The link to OpenStreetMap's editor carries the place, not the picture: the editor would ask the public catalogue for it.
  [',photo_overlay:"panoramax",photo:`panoramax/${this._pic.id}`}', "}"],
  // The box that says that Panoramax is a public commons, with a link to its site.
  [
    ".presentation {\n\t\t\tfont-size: 0.85em;\n\t\t\tline-height: 1em;\n\t\t\tdisplay: flex;",
    ".presentation {\n\t\t\tdisplay: none !important;",
  ],
  // Sequences that not everybody may see are drawn in dark grey; here that is all of them, so it is the usual orange.
  ['HIDDEN:"#34495E"', 'HIDDEN:"#FF6F00"'],
];

/** Replaces each pattern; throws an Error naming the first that does not occur exactly once. */
export function substitute(text) {
  return SUBSTITUTIONS.reduce((result, [from, to]) => {
    const count = result.split(from).length - 1;
    if (count !== 1) throw new Error(`found ${count} times instead of once in the viewer: ${from}`);
    return result.replace(from, () => to);
  }, text);
}

/** Downloads the package unless it is already in the cache, checks it, and returns the path of the archive. */
function fetchPackage(cache) {
  mkdirSync(cache, { recursive: true });
  const archive = join(cache, `${PINNED.package.replace("@", "").replace("/", "-")}-${PINNED.version}.tgz`);
  if (!existsSync(archive)) {
    execFileSync("npm", ["pack", "--silent", "--pack-destination", cache, `${PINNED.package}@${PINNED.version}`]);
  }
  const digest = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  if (digest !== PINNED.integrity) {
    rmSync(archive);
    throw new Error(`${PINNED.package} ${PINNED.version} has ${digest}, expected ${PINNED.integrity}`);
  }
  return archive;
}

function install(dist) {
  const archive = fetchPackage(join(HERE, "../node_modules/.cache"));
  const unpacked = mkdtempSync(join(tmpdir(), "viewer-"));
  execFileSync("tar", ["-xzf", archive, "-C", unpacked, "--strip-components=1"]);
  const target = join(dist, TARGET);
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, "index.js"), substitute(readFileSync(join(unpacked, "build/index.js"), "utf8")));
  cpSync(join(unpacked, "build/index.css"), join(target, "index.css"));
  cpSync(join(unpacked, "build/static"), join(target, "static"), {
    recursive: true,
    filter: (path) => !path.endsWith(".map"),
  });
  cpSync(join(unpacked, "LICENSE"), join(target, "LICENSE"));
  rmSync(unpacked, { recursive: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) install(process.argv[2] ?? "dist");
