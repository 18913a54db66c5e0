/** Where the API sends people who have not accepted the terms of use yet: /tos-validation?next_url=PATH. */
import { call } from "../core/api";
import { need } from "../core/dom";
import { ownPath, showProblem, start } from "../core/page";

const { site } = await start();
if (site.terms_url) {
  need<HTMLAnchorElement>("#tos-link a").href = site.terms_url;
  need("#tos-link").hidden = false;
}
need("#accept").addEventListener("click", () => {
  call("/users/me/accept_tos", { method: "POST" }).then(() => {
    location.assign(ownPath(new URLSearchParams(location.search).get("next_url"), "/"));
  }, showProblem);
});
