/** Where the API sends people who have not accepted the terms of use yet: /tos-validation?next_url=PATH. */
import { call } from "../core/api";
import { need } from "../core/dom";
import { showProblem, start } from "../core/page";

const { site } = await start();
if (site.terms_url) {
  need<HTMLAnchorElement>("#tos-link a").href = site.terms_url;
  need("#tos-link").hidden = false;
}
need("#accept").addEventListener("click", () => {
  call("/users/me/accept_tos", { method: "POST" }).then(() => {
    // Only a path of this site: an address from the query could lead anywhere.
    const next = new URL(new URLSearchParams(location.search).get("next_url") ?? "/", location.origin);
    location.assign(next.origin === location.origin ? next.pathname + next.search : "/");
  }, showProblem);
});
