/** Where somebody lands whose session is not good any more: /signed-out?next_url=PATH. */
import { need } from "../core/dom";
import { forgetUser, loginAddress, ownPath, start } from "../core/page";

// The names of the person are still in the browser, and would make the top bar offer what is closed now.
forgetUser();
await start();
need<HTMLAnchorElement>("#signed-out-login").href = loginAddress(ownPath(new URLSearchParams(location.search).get("next_url"), "/explore"));
