import { describe, expect, it } from "vitest";
import { accountAction, accountReturn } from "../src/core/account";

describe("the pages for password and second step", () => {
  it("ask for nothing that could be stolen on the way back", () => {
    const address = new URL(accountAction("UPDATE_PASSWORD", "de", "https://site.example"), "https://site.example");
    expect(address.pathname).toBe("/oauth/realms/panoramax/protocol/openid-connect/auth");
    expect(Object.fromEntries(address.searchParams)).toEqual({
      client_id: "panoramax-settings",
      redirect_uri: "https://site.example/settings",
      response_type: "none",
      scope: "openid",
      kc_action: "UPDATE_PASSWORD",
      ui_locales: "de",
      code_challenge_method: "S256",
      code_challenge: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) as string,
    });
  });
  it("are thanked for only when something was changed", () => {
    expect(accountReturn("?kc_action_status=success&kc_action=UPDATE_PASSWORD&session_state=x")).toBe("settings.password.done");
    expect(accountReturn("?kc_action_status=success&kc_action=CONFIGURE_TOTP")).toBe("settings.two-step.done");
    expect(accountReturn("?kc_action_status=cancelled&kc_action=UPDATE_PASSWORD")).toBeNull();
    expect(accountReturn("?kc_action_status=success&kc_action=toString")).toBeNull();
    expect(accountReturn("")).toBeNull();
  });
});
