/** What every page does first: language, texts, name of the instance, who is signed in. */
import { ApiError, call, SignedOutError, type Me } from "./api";
import { el, need } from "./dom";
import { choose, language, NAMES, t, translate, useLanguage, type Key } from "./i18n";
import { loadSite, type Site } from "./site";

const LANGUAGE_STORE = "language";

export interface Page {
  site: Site;
  user: { id: string; name: string } | null;
}

function cookie(name: string): string | null {
  const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`));
  if (found === undefined) return null;
  const raw = found.slice(name.length + 1).replace(/^"|"$/g, "");
  try {
    return decodeURIComponent(raw);
  } catch {
    return raw;
  }
}

/** The person the API's cookies name; only a hint for the look of the page, the server decides for itself. */
export function signedInUser(): Page["user"] {
  const id = cookie("user_id");
  const name = cookie("user_name");
  return id && name ? { id, name } : null;
}

/** Removes what the API's cookies tell this page about the person; the session itself is out of reach for scripts. */
export function forgetUser(): void {
  for (const name of ["user_id", "user_name"]) document.cookie = `${name}=; Max-Age=0; Path=/; Secure`;
}

/** A path of this site from the page's query; anything else, an address of another site above all, is the fallback. */
export function ownPath(path: string | null, fallback: string): string {
  if (!path?.startsWith("/")) return fallback;
  const next = new URL(path, location.origin);
  return next.origin === location.origin ? next.pathname + next.search : fallback;
}

/** Where "Log in" leads: back to the given page afterwards, and only ever to a path of this site. */
export function loginAddress(next = location.pathname + location.search): string {
  return `/api/auth/login?next_url=${encodeURIComponent(next.startsWith("/") ? next : "/")}`;
}

function languageMenu(site: Site): void {
  const select = document.querySelector<HTMLSelectElement>("select[data-site=languages]");
  if (!select) return;
  for (const code of site.languages.filter((one) => one in NAMES)) {
    select.append(el("option", { value: code, lang: code, selected: code === language() }, NAMES[code]));
  }
  select.closest<HTMLElement>(".language")?.toggleAttribute("hidden", select.options.length < 2);
  select.addEventListener("change", () => {
    localStorage.setItem(LANGUAGE_STORE, select.value);
    // The sign-in pages read it here.
    document.cookie = `KEYCLOAK_LOCALE=${select.value}; path=/oauth/realms/panoramax/; secure; samesite=none`;
    location.reload();
  });
}

function operatorLine(site: Site): void {
  for (const place of document.querySelectorAll("[data-site=operator]")) {
    if (!site.operator.name) continue;
    const name = site.operator.url
      ? el("a", { href: site.operator.url, rel: "noreferrer" }, site.operator.name)
      : site.operator.name;
    const [before = "", after = ""] = t("foot.operator", { name: "\u0000" }).split("\u0000");
    place.replaceChildren(before, name, after);
  }
}

/** Administrators find their page in the menu; who is one is asked only when somebody opens it. */
async function offerAdministration(menu: HTMLElement): Promise<void> {
  try {
    const me = await call<Me>("/users/me");
    need("[data-nav=administration]", menu).hidden = me.permissions?.role !== "admin";
  } catch (error) {
    console.warn(error);
  }
}

function accountMenu(user: Page["user"]): void {
  const menu = document.querySelector<HTMLDetailsElement>("details.account");
  if (!menu) return;
  need("[data-user=name]", menu).textContent = user?.name ?? "";
  menu.addEventListener("toggle", () => void offerAdministration(menu), { once: true });
  document.addEventListener("click", (event) => {
    if (event.target instanceof Node && !menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    need("summary", menu).focus();
  });
}

/** Prepares the page; its own script goes on with what this returns. */
export async function start(): Promise<Page> {
  const root = document.documentElement;
  const user = signedInUser();
  root.classList.add(user ? "is-signed-in" : "is-signed-out");
  const site = await loadSite();
  const stored = localStorage.getItem(LANGUAGE_STORE);
  await useLanguage(choose([...(stored ? [stored] : []), ...navigator.languages], site.languages));
  translate();
  for (const place of document.querySelectorAll("[data-site=name]")) place.textContent = site.name;
  operatorLine(site);
  languageMenu(site);
  accountMenu(user);
  const title = root.dataset["title"];
  document.title = title ? `${t(title as Key)} · ${site.name}` : site.name;
  document.querySelector(`[data-nav="${root.dataset["page"] ?? ""}"]`)?.setAttribute("aria-current", "page");
  for (const login of document.querySelectorAll<HTMLAnchorElement>("a[data-login]")) {
    login.href = loginAddress(login.dataset["login"]);
  }
  root.classList.add("is-ready");
  return { site, user };
}

/** A sentence for a failed request, in the page's language. */
export function explain(error: unknown): string {
  if (error instanceof SignedOutError) return t("error.signed-out");
  if (error instanceof ApiError && error.status === 0) return t("error.network");
  if (error instanceof ApiError && error.status === 403) return t("error.forbidden");
  if (error instanceof ApiError && error.status === 404) return t("error.not-found");
  if (error instanceof ApiError && error.status < 500) return error.message;
  return t("error.server");
}

// Who logs out leaves the page, and its last requests find no session: that is no news, and must not lead elsewhere. A
// person may also be asked whether to leave, and stay.
let left = 0;
const LEAVING_MS = 10_000;
window.addEventListener("beforeunload", () => {
  left = Date.now();
});

/** Shows a failure in the page's #problem line; a missing session leads to the page that says so. */
export function showProblem(error: unknown): void {
  if (error instanceof SignedOutError) {
    if (Date.now() - left < LEAVING_MS) return;
    location.assign(`/signed-out?next_url=${encodeURIComponent(location.pathname + location.search)}`);
    return;
  }
  console.warn(error);
  const place = need("#problem");
  place.textContent = explain(error);
  place.hidden = false;
}

export function clearProblem(): void {
  need("#problem").hidden = true;
}
