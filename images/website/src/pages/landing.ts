/** The start page, the only one that people without a login see. */
import { el, need } from "../core/dom";
import { language, t } from "../core/i18n";
import { start } from "../core/page";
import { pick, type Site } from "../core/site";

/** The operator's own words on how to get an account, else "ask" with the contact as a link where it is an address. */
function accountHelp(site: Site): (Node | string)[] {
  const own = pick(site.account_help, language());
  if (own) return [own];
  if (!site.contact) return [];
  const contact = site.contact.includes("@")
    ? el("a", { href: `mailto:${site.contact}` }, site.contact)
    : site.contact;
  const [before = "", after = ""] = t("landing.ask", { contact: "\u0000" }).split("\u0000");
  return [before, contact, after];
}

const { site, user } = await start();
const description = pick(site.description, language());
if (description) need("#description").textContent = description;
need("#account-help").replaceChildren(...accountHelp(site));
if (user) need(".hero-actions.signed-in").after(el("p", { class: "closed" }, t("landing.signed-in", { name: user.name })));
