import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig, type Plugin } from "vite";

/** The pages of the site; each becomes <name>.html, which nginx serves without the extension. */
const PAGES = [
  "index",
  "explore",
  "share-photos",
  "my-photos",
  "sequence",
  "settings",
  "administration",
  "tos-validation",
  "token-accepted",
  "signed-out",
];

const here = (path: string): string => resolve(import.meta.dirname, path);

/** Puts partials/NAME.html where a page says `<!--#NAME-->`, so that every page has the same head and top bar. */
function partials(): Plugin {
  return {
    name: "partials",
    transformIndexHtml: {
      order: "pre",
      handler: (html) =>
        html.replace(/<!--#([a-z]+)-->/g, (_match, name: string) => readFileSync(here(`partials/${name}.html`), "utf8")),
    },
  };
}

export default defineConfig({
  root: here("pages"),
  publicDir: here("public"),
  plugins: [partials()],
  build: {
    outDir: here("dist"),
    emptyOutDir: true,
    target: "es2022",
    // An inline data: script or style would need a weaker Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: PAGES.map((page) => here(`pages/${page}.html`)) },
  },
  test: { root: here("."), environment: "happy-dom", include: ["tests/**/*.test.ts"] },
} as Parameters<typeof defineConfig>[0]);
