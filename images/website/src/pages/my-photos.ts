/** My Photos: one's own sequences, newest first, with sorting and dates. */
import { ApiError, call, link, type SequenceLink, type SequenceList } from "../core/api";
import { el, icon, need } from "../core/dom";
import { date, distance } from "../core/format";
import { t, tn } from "../core/i18n";
import { clearProblem, showProblem, start } from "../core/page";

const PAGE_SIZE = 60;

/** The address of the first page for the filter's form. Dates are whole days, in the CQL2 text that the API reads. */
function firstPage(form: FormData): string {
  const value = (name: string): string => {
    const entry = form.get(name);
    return typeof entry === "string" ? entry : "";
  };
  const conditions: string[] = [];
  if (value("from")) conditions.push(`datetime >= '${value("from")}T00:00:00Z'`);
  if (value("to")) conditions.push(`datetime <= '${value("to")}T23:59:59Z'`);
  const query = new URLSearchParams({ limit: String(PAGE_SIZE), sortby: value("sortby") || "-created" });
  if (conditions.length) query.set("filter", conditions.join(" AND "));
  return `/users/me/collection?${query.toString()}`;
}

/** The API answers 404 where there is nothing to list. */
async function load(address: string): Promise<SequenceList> {
  try {
    return await call<SequenceList>(address);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return { links: [] };
    throw error;
  }
}

function card(one: SequenceLink): HTMLLIElement {
  const shot = one.extent.temporal.interval[0]?.[0];
  const ready = one["geovisio:status"] === "ready";
  const cover = el("div", { class: "cover" }, icon("picture"));
  if (one["stats:items"].count > 0) {
    const image = el("img", { src: `/api/collections/${one.id}/thumb.jpg`, alt: "", loading: "lazy" });
    image.addEventListener("error", () => image.remove());
    cover.append(image);
  }
  const visibility = one["geovisio:visibility"];
  return el(
    "li",
    { class: "sequence" },
    cover,
    el(
      "div",
      { class: "body" },
      el("h2", {}, el("a", { href: `/sequence/${one.id}` }, one.title)),
      el("p", {}, `${tn("photos.count", one["stats:items"].count)} · ${distance(one["geovisio:length_km"])}`),
      el("p", {}, `${t("photos.shot")} ${date(shot)}`),
      el("p", {}, `${t("photos.uploaded")} ${date(one.created)}`),
      visibility && el("span", { class: "tag" }, t(`visibility.${visibility}`)),
      !ready && el("span", { class: "tag" }, t("photos.preparing")),
    ),
  );
}

function empty(filtered: boolean): HTMLLIElement {
  return el(
    "li",
    { class: "empty" },
    el("p", { class: "muted" }, t(filtered ? "photos.nothing" : "photos.empty")),
    !filtered && el("a", { class: "button primary", href: "/share-photos" }, t("nav.share")),
  );
}

let asked = 0;

async function show(address: string, append: boolean): Promise<void> {
  const number = (asked += 1);
  const place = need("#sequences");
  place.setAttribute("aria-busy", "true");
  const list = await load(address);
  // A later question was asked meanwhile: its answer is the one to show.
  if (number !== asked) return;
  const children = list.links.filter((one): one is SequenceLink => one.rel === "child");
  if (!append) place.replaceChildren();
  place.append(...children.map(card));
  if (!place.children.length) place.append(empty(address.includes("filter=")));
  place.setAttribute("aria-busy", "false");
  const sequences = list["stats:collections"]?.count;
  const pictures = list["stats:items"]?.count;
  if (!append) {
    const known = sequences !== undefined && pictures !== undefined;
    need("#totals").textContent = known ? `${tn("photos.sequences", sequences)} · ${tn("photos.count", pictures)}` : "";
  }
  const next = children.length ? link(list.links, "next") : undefined;
  const more = need<HTMLButtonElement>("#more");
  more.hidden = next === undefined;
  more.onclick = next === undefined ? null : () => void show(next, true).catch(showProblem);
}

await start();
const form = need<HTMLFormElement>("#filters");
const refresh = (): void => {
  clearProblem();
  show(firstPage(new FormData(form)), false).catch(showProblem);
};
form.addEventListener("change", refresh);
form.addEventListener("submit", (event) => event.preventDefault());
// The fields have their old values until the event is over.
form.addEventListener("reset", () => setTimeout(refresh));
refresh();
