// Writes the error pages: whole in themselves (own style, no script), because they are also shown when this very site
// is what cannot be reached. Every language of the site is on the page, as nothing can choose there.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
/** Status to the texts it has (`page.NUMBER` in the languages); some mean the same to a person. */
const CODES = { 400: 400, 401: 401, 403: 403, 404: 404, 413: 413, 421: 400, 429: 429, 502: 502, 503: 502, 504: 502 };

const dist = process.argv[2] ?? "dist";
const locales = join(HERE, "../src/locales");
const texts = Object.fromEntries(
  readdirSync(locales)
    .filter((file) => file.endsWith(".json"))
    .map((file) => [file.slice(0, -5), JSON.parse(readFileSync(join(locales, file), "utf8"))]),
);
const style = readFileSync(join(HERE, "../src/styles/error.css"), "utf8");
const escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
const others = Object.keys(texts).filter((code) => code !== "en");

/** The page of one status, in English and below it in the other languages. */
function page(code, texted) {
  const say = (language, key) => escape(texts[language][key] ?? texts.en[key]);
  const translations = others
    .map((one) => `      <p lang="${one}"><b>${say(one, `page.${texted}`)}.</b> ${say(one, `page.${texted}.text`)}</p>`)
    .join("\n");
  const action = texted === 401 ? ["/api/auth/login?next_url=/explore", "page.login"] : ["/", "page.home"];
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <meta name="robots" content="noindex, nofollow" />
    <title>${say("en", `page.${texted}`)}</title>
    <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
    <style>
${style}    </style>
    <link rel="stylesheet" href="/assets/site.css" />
  </head>
  <body>
    <main>
      <p class="code" aria-hidden="true">${code}</p>
      <h1>${say("en", `page.${texted}`)}</h1>
      <p class="lead">${say("en", `page.${texted}.text`)}</p>
      <p><a class="button" href="${action[0]}">${say("en", action[1])}</a></p>
      <hr />
${translations}
    </main>
  </body>
</html>
`;
}

mkdirSync(join(dist, "errors"), { recursive: true });
for (const [code, texted] of Object.entries(CODES)) {
  writeFileSync(join(dist, "errors", `${code}.html`), page(code, texted));
}
