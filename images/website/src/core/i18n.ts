/** Texts of the site: one JSON file per language, English is the reference and the fallback. */
import english from "../locales/en.json";

export type Key = keyof typeof english;
type Messages = Partial<Record<string, string>>;

const others = import.meta.glob<{ default: Messages }>(["../locales/*.json", "!../locales/en.json"]);

let messages: Messages = english;
let current = "en";
let plural = new Intl.PluralRules("en");

export const NAMES: Record<string, string> = { en: "English", fr: "Français", de: "Deutsch", es: "Español" };

/** The first of the wanted languages (regions ignored) that the site offers; English if none. */
export function choose(wanted: readonly string[], offered: readonly string[]): string {
  for (const one of wanted) {
    const short = one.toLowerCase().split("-")[0] ?? "";
    if (offered.includes(short)) return short;
  }
  return offered.includes("en") ? "en" : (offered[0] ?? "en");
}

export function language(): string {
  return current;
}

/** The language with the region that the browser asks for, if any: dates are written otherwise in en-GB than in en-US. */
export function locale(): string {
  return navigator.languages.find((one) => one.toLowerCase().split("-")[0] === current) ?? current;
}

export async function useLanguage(code: string): Promise<void> {
  const load = others[`../locales/${code}.json`];
  messages = load ? (await load()).default : english;
  current = load ? code : "en";
  plural = new Intl.PluralRules(current);
  document.documentElement.lang = current;
}

function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : typeof value === "number" ? value.toLocaleString(locale()) : value;
  });
}

/** The text of a key; `{name}` in it is replaced by values.name, numbers written as the language does. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return fill(messages[key] ?? english[key], values);
}

type PluralBase = Key extends infer K ? (K extends `${infer Base}.other` ? Base : never) : never;

/** The text of a key in singular or plural (`key.one`, `key.other`), chosen by the language's own rules. */
export function tn(base: PluralBase, count: number, values: Record<string, string | number> = {}): string {
  const form = `${base}.${plural.select(count)}`;
  const other = `${base}.other`;
  const table = english as Messages;
  return fill(messages[form] ?? messages[other] ?? table[form] ?? table[other] ?? "", { n: count, ...values });
}

/** Puts the texts into every element that names its key in data-t or data-t-attr. */
export function translate(root: ParentNode = document): void {
  for (const node of root.querySelectorAll<HTMLElement>("[data-t]")) {
    node.textContent = t(node.dataset["t"] as Key);
  }
  for (const node of root.querySelectorAll<HTMLElement>("[data-t-attr]")) {
    for (const pair of (node.dataset["tAttr"] ?? "").split(",")) {
      const [attribute = "", key = ""] = pair.split(":");
      node.setAttribute(attribute, t(key as Key));
    }
  }
}
