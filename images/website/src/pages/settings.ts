/** My Settings: the account, API tokens, the ready-made command for panoramax_cli. */
import { call, type Me, type Token } from "../core/api";
import { accountAction, accountReturn } from "../core/account";
import { copyButton } from "../core/copy";
import { confirm } from "../core/dialog";
import { el, need } from "../core/dom";
import { date } from "../core/format";
import { language, t } from "../core/i18n";
import { clearProblem, showProblem, start } from "../core/page";
import { dayIn, describe, MOST_DAYS, tokenEnd, tokenName, USUAL_DAYS } from "../core/token";

function showToken(token: Token): void {
  const value = token.jwt_token ?? "";
  const button = el("button", { class: "button quiet", type: "button" }, t("copy"));
  copyButton(button, () => value);
  const place = need("#token-value");
  place.replaceChildren(
    el("p", { class: "notice" }, t("settings.tokens.created")),
    el("div", { class: "code" }, el("pre", { tabindex: 0 }, value), button),
  );
  place.hidden = false;
  place.scrollIntoView({ block: "nearest" });
}

async function revoke(token: Token, name: string): Promise<void> {
  if (!(await confirm(t("settings.tokens.revoke.ask", { name }), t("settings.tokens.revoke")))) return;
  clearProblem();
  await call(`/users/me/tokens/${token.id}`, { method: "DELETE" });
  need("#token-value").hidden = true;
  await listTokens();
}

function row(token: Token): HTMLLIElement {
  const name = tokenName(token) || t("settings.tokens.unnamed");
  const button = (text: string, kind: string, action: () => Promise<void>): HTMLElement =>
    el("button", { class: `button small ${kind}`, type: "button", click: () => void action().catch(showProblem) }, text);
  return el(
    "li",
    {},
    el(
      "div",
      {},
      el("p", {}, el("strong", {}, name)),
      el("p", { class: "muted" }, t("settings.tokens.since", { date: date(token.generated_at), end: date(tokenEnd(token)) })),
    ),
    el(
      "div",
      { class: "actions" },
      button(t("settings.tokens.revoke"), "danger", () => revoke(token, name)),
    ),
  );
}

async function listTokens(): Promise<void> {
  const tokens = await call<Token[]>("/users/me/tokens");
  tokens.sort((a, b) => b.generated_at.localeCompare(a.generated_at));
  const place = need("#tokens");
  place.replaceChildren(...tokens.map(row));
  if (!tokens.length) place.append(el("li", { class: "muted" }, t("settings.tokens.none")));
  place.setAttribute("aria-busy", "false");
}

async function create(form: HTMLFormElement): Promise<void> {
  const name = need<HTMLInputElement>("[name=description]", form).value.trim();
  if (!name) return;
  clearProblem();
  const description = describe(name, need<HTMLInputElement>("[name=ends]", form).value);
  const token = await call<Token>("/users/me/tokens", { method: "POST", json: { description } });
  form.reset();
  offerEnds();
  await listTokens();
  showToken(token);
}

/** The days that a token may end on: from tomorrow to the longest that one works. */
function offerEnds(): void {
  const ends = need<HTMLInputElement>("#new-token [name=ends]");
  [ends.min, ends.value, ends.max] = [dayIn(1), dayIn(USUAL_DAYS), dayIn(MOST_DAYS)];
}

/** What to run, with the site's own authority where the browser had to be told of it too. */
function showCommand(localCa: boolean): void {
  const command = `${localCa ? "SSL_CERT_FILE=ca.crt " : ""}panoramax_cli upload --api-url ${location.origin} --token TOKEN .`;
  need("#cli").textContent = command;
  need("#cli-ca").hidden = !localCa;
  copyButton(need("#copy-cli"), () => command);
}

async function showAccount(): Promise<void> {
  const me = await call<Me>("/users/me");
  const fact = (name: string, value: string): HTMLElement => el("div", {}, el("dt", {}, name), el("dd", {}, value));
  need("#account").replaceChildren(fact(t("settings.account.name"), me.name));
}

function accountActions(): void {
  for (const link of document.querySelectorAll<HTMLAnchorElement>("[data-action]")) {
    link.href = accountAction(link.dataset["action"] ?? "", language(), location.origin);
  }
  const back = accountReturn(location.search);
  // What Keycloak added to the address means nothing any more, and a reload must not say it again.
  if (location.search) history.replaceState(null, "", location.pathname);
  if (!back) return;
  const place = need("#account-done");
  place.textContent = t(back);
  place.hidden = false;
}

const { site } = await start();
accountActions();
offerEnds();
showCommand(site.local_ca);
const form = need<HTMLFormElement>("#new-token");
form.addEventListener("submit", (event) => {
  event.preventDefault();
  create(form).catch(showProblem);
});
await Promise.all([showAccount(), listTokens()]).catch(showProblem);
