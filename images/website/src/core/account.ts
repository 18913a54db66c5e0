/**
 * The pages of Keycloak on which people change their password or set up a second step. They are opened by Keycloak's
 * `kc_action`, and lead back to My Settings. `response_type=none` asks for nothing to be issued on the way back: the
 * session of this site goes on as it is. Keycloak wants a PKCE challenge all the same: a random one that nothing answers.
 */
import type { Key } from "./i18n";

const SIGN_IN = "/oauth/realms/panoramax/protocol/openid-connect/auth";
const CLIENT = "panoramax-settings";

const DONE = new Map<string | null, Key>([
  ["UPDATE_PASSWORD", "settings.password.done"],
  ["CONFIGURE_TOTP", "settings.two-step.done"],
]);

function challenge(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}

/** Address of the page for a required action of Keycloak, in the page's language where the account has none. */
export function accountAction(action: string, language: string, origin: string): string {
  const query = new URLSearchParams({
    client_id: CLIENT,
    redirect_uri: `${origin}/settings`,
    response_type: "none",
    scope: "openid",
    kc_action: action,
    ui_locales: language,
    code_challenge_method: "S256",
    code_challenge: challenge(),
  });
  return `${SIGN_IN}?${query.toString()}`;
}

/** The sentence to show when Keycloak led back after something was changed; null in every other case. */
export function accountReturn(search: string): Key | null {
  const query = new URLSearchParams(search);
  if (query.get("kc_action_status") !== "success") return null;
  return DONE.get(query.get("kc_action")) ?? null;
}
