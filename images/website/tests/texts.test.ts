import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { choose, t, tn, useLanguage } from "../src/core/i18n";
import { pick } from "../src/core/site";
import english from "../src/locales/en.json";
import { REASONS } from "../src/upload/outcome";

const folder = join(import.meta.dirname, "../src/locales");
const keys = Object.keys(english);
const placeholders = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();
const pages = join(import.meta.dirname, "../pages");
const partials = join(import.meta.dirname, "../partials");
const html = [pages, partials].flatMap((one) =>
  readdirSync(one).map((name) => ({ name, text: readFileSync(join(one, name), "utf8") })),
);

describe.each(readdirSync(folder).filter((name) => name !== "en.json"))("%s", (name) => {
  const messages = JSON.parse(readFileSync(join(folder, name), "utf8")) as Record<string, string>;
  it("has every text and no other", () => expect(Object.keys(messages).sort()).toEqual([...keys].sort()));
  it("has the same placeholders", () => {
    for (const [key, text] of Object.entries(english)) expect(placeholders(messages[key] ?? ""), key).toEqual(placeholders(text));
  });
  it("leaves nothing empty", () => expect(Object.entries(messages).filter(([, text]) => !text.trim())).toEqual([]));
});

describe.each(html)("$name", ({ text }) => {
  it("names only texts that exist", () => {
    const used = [...text.matchAll(/data-t="([^"]+)"|data-title="([^"]+)"/g)].map((match) => match[1] ?? match[2]);
    const attributes = [...text.matchAll(/data-t-attr="([^"]+)"/g)].flatMap((match) =>
      (match[1] ?? "").split(",").map((pair) => pair.split(":")[1]),
    );
    for (const key of [...used, ...attributes]) expect(keys).toContain(key);
  });
  it("shows the English texts to those without scripts", () => {
    const texts = english as Record<string, string>;
    for (const [, key = "", shown = ""] of text.matchAll(/data-t="([^"]+)"[^>]*>([^<]*)</g)) expect(shown.trim(), key).toBe(texts[key]);
  });
  it("has no inline script and no handler attribute", () => {
    expect(text).not.toMatch(/<script(?![^>]*\bsrc=)/);
    expect(text).not.toMatch(/\son[a-z]+=/);
  });
});

describe("texts", () => {
  afterEach(() => useLanguage("en"));
  it("has a text for each reason", () => {
    for (const reason of REASONS) expect(keys).toContain(`reason.${reason}`);
  });
  it("chooses by the browser's list", () => {
    expect(choose(["pt-BR", "fr-CA", "en"], ["en", "fr"])).toBe("fr");
    expect(choose(["ja"], ["en", "fr"])).toBe("en");
    expect(choose(["ja"], ["fr"])).toBe("fr");
  });
  it("fills values and plurals by the language's rules", async () => {
    expect(t("share.count", { done: 1, files: 2000 })).toBe("1 of 2,000 pictures");
    expect(tn("photos.count", 1)).toBe("1 photo");
    await useLanguage("fr");
    expect(document.documentElement.lang).toBe("fr");
    expect(tn("share.rejected", 0)).toBe("0 fichier refusé");
    expect(tn("share.rejected", 1_000_000)).toContain("fichiers");
  });
  it("falls back to English", async () => {
    await useLanguage("xx");
    expect(t("nav.share")).toBe("Share Photos");
  });
  it("picks the operator's text", () => {
    expect(pick({ en: "a", fr: "b" }, "fr")).toBe("b");
    expect(pick({ en: "a" }, "de")).toBe("a");
    expect(pick({ de: "c" }, "es")).toBe("c");
    expect(pick({}, "en")).toBe("");
  });
});
