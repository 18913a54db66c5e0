/** What the inventory says about this instance: site.json, mounted into the container by the role `website`. */

export type LocalText = Partial<Record<string, string>>;

export interface Site {
  name: string;
  description: LocalText;
  operator: { name: string; url: string };
  /** How somebody without an account gets one, in the operator's words. */
  account_help: LocalText;
  contact: string;
  languages: string[];
  terms_url: string;
  /** Largest picture that the proxy lets through. */
  upload_max_bytes: number;
  /** The certificate is of this site's own authority, which programs do not know by themselves. */
  local_ca: boolean;
}

const FALLBACK: Site = {
  name: "Panoramax",
  description: {},
  operator: { name: "", url: "" },
  account_help: {},
  contact: "",
  languages: ["en"],
  terms_url: "",
  upload_max_bytes: Infinity,
  local_ca: false,
};

/** Reads site.json; a site without one still works, under the name "Panoramax". */
export async function loadSite(): Promise<Site> {
  try {
    const answer = await fetch("/site.json", { credentials: "same-origin" });
    if (!answer.ok) return FALLBACK;
    return { ...FALLBACK, ...((await answer.json()) as Partial<Site>) };
  } catch {
    return FALLBACK;
  }
}

/** The text in the page's language, else in English, else in any language it has. */
export function pick(text: LocalText, language: string): string {
  return text[language] ?? text["en"] ?? Object.values(text)[0] ?? "";
}
