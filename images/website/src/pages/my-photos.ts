/** My Photos: one's own sequences in a list and on a map, to sort, filter, change and delete. */
import { call } from "../core/api";
import { confirm } from "../core/dialog";
import { el, icon, need } from "../core/dom";
import { around, isWithin, type Box } from "../core/extent";
import { date, distance } from "../core/format";
import { locale, t, tn } from "../core/i18n";
import { coverageMap, type CoverageMap } from "../core/map";
import { clearProblem, showProblem, start } from "../core/page";
import { several } from "../core/several";
import { loadRows, sequencesIn } from "../photos/load";
import { marks, type Marks } from "../photos/marks";
import { arrange, page, SORTS, type Row, type Sort, type Wanted } from "../photos/rows";
import { VISIBILITIES } from "../upload/uploadset";

const PAGE_SIZE = 50;

const { user } = await start();
const form = need<HTMLFormElement>("#filters");
const list = need<HTMLUListElement>("#sequences");
const picked = new Set<string>();
let rows: Row[] = [];
/** What was searched for, and the sequences whose line runs through it. */
let area: { box: Box; crossed: Set<string> } | null = null;
let number = 0;
let searching = new AbortController();
let map: CoverageMap | null = null;
let marked: Marks | null = null;
let fitted = false;

function wanted(): Wanted {
  const data = new FormData(form);
  const value = (name: string): string => {
    const entry = data.get(name);
    return typeof entry === "string" ? entry : "";
  };
  const sort = SORTS.find((one) => one === value("sort")) ?? "uploaded";
  return { sort, descending: value("order") !== "up", from: value("from"), until: value("until"), visibility: value("visibility") };
}

function cover(row: Row): HTMLElement {
  const node = el("div", { class: "cover" }, icon("picture"));
  if (row.photos > 0 && row.ready) {
    const image = el("img", { src: `/api/collections/${row.id}/thumb.jpg`, alt: "", loading: "lazy" });
    image.addEventListener("error", () => image.remove());
    node.append(image);
  }
  return node;
}

function fact(name: string, value: string): HTMLElement {
  return el("div", {}, el("dt", {}, name), el("dd", {}, value));
}

function listRow(row: Row): HTMLLIElement {
  const box = el("input", { type: "checkbox", "aria-label": t("photos.pick", { title: row.title }), checked: picked.has(row.id) });
  box.addEventListener("change", () => {
    if (box.checked) picked.add(row.id);
    else picked.delete(row.id);
    showPicked();
  });
  const node = el(
    "li",
    { class: "row", "data-id": row.id },
    box,
    cover(row),
    el(
      "div",
      { class: "body" },
      el("h3", {}, el("a", { href: `/sequence/${row.id}` }, row.title)),
      el(
        "dl",
        { class: "row-facts" },
        fact(t("sequence.photos"), row.photos.toLocaleString(locale())),
        fact(t("photos.distance"), distance(row.kilometres)),
        fact(t("photos.shot"), date(row.shot)),
        fact(t("photos.uploaded"), date(row.uploaded)),
      ),
      el(
        "p",
        { class: "tags" },
        row.visibility !== "" && el("span", { class: "tag" }, t(`visibility.${row.visibility}`)),
        el("span", { class: `tag ${row.ready ? "ok" : "wait"}` }, t(row.ready ? "photos.ready" : "photos.preparing")),
      ),
    ),
  );
  for (const event of ["pointerenter", "focusin"]) node.addEventListener(event, () => marked?.point(row.id));
  for (const event of ["pointerleave", "focusout"]) node.addEventListener(event, () => marked?.point(null));
  return node;
}

function empty(): HTMLLIElement {
  const filtered = rows.length > 0;
  return el(
    "li",
    { class: "empty" },
    el("p", { class: "muted" }, t(filtered ? "photos.nothing" : "photos.empty")),
    !filtered && el("a", { class: "button primary", href: "/share-photos" }, t("nav.share")),
  );
}

/** All that the filters and the area let through, in the wanted order. */
function matchingRows(): Row[] {
  const here = area;
  const inArea = (one: Row): boolean => !here || here.crossed.has(one.id) || (one.box !== null && isWithin(one.box, here.box));
  return arrange(rows.filter(inArea), wanted(), locale());
}

function shownRows(): Row[] {
  return page(matchingRows(), number, PAGE_SIZE).rows;
}

function show(): void {
  const matching = matchingRows();
  const shown = page(matching, number, PAGE_SIZE);
  number = shown.number;
  marked?.show(matching);
  list.replaceChildren(...shown.rows.map(listRow));
  if (!shown.rows.length && !list.matches("[aria-busy=true]")) list.append(empty());
  const photos = matching.reduce((sum, one) => sum + one.photos, 0);
  need("#totals").textContent = rows.length ? `${tn("photos.sequences", matching.length)} · ${tn("photos.count", photos)}` : "";
  need("#pager").hidden = shown.pages < 2;
  need("#page-number").textContent = t("photos.page", { n: shown.number + 1, pages: shown.pages });
  need<HTMLButtonElement>("#previous").disabled = shown.number === 0;
  need<HTMLButtonElement>("#next").disabled = shown.number === shown.pages - 1;
  need("#selection").hidden = shown.rows.length === 0;
  showPicked();
}

function pickedRows(): Row[] {
  return rows.filter((one) => picked.has(one.id));
}

function showPicked(): void {
  const photos = pickedRows().reduce((sum, one) => sum + one.photos, 0);
  need("#picked").textContent = picked.size ? t("photos.picked", { sequences: tn("photos.sequences", picked.size), photos: tn("photos.count", photos) }) : "";
  need("#picked-actions").hidden = picked.size === 0;
  const here = shownRows();
  const all = need<HTMLInputElement>("#pick-all");
  const count = here.filter((one) => picked.has(one.id)).length;
  all.checked = here.length > 0 && count === here.length;
  all.indeterminate = count > 0 && count < here.length;
}

/** Does one thing to all that are picked; what failed stays picked and is said. */
async function each(act: (row: Row) => Promise<unknown>, worked: (done: Set<string>) => void): Promise<void> {
  clearProblem();
  const chosen = pickedRows();
  const progress = need("#picked");
  const result = await several(chosen, act, (done) => (progress.textContent = t("photos.progress", { done, all: chosen.length })));
  const done = new Set(result.worked.map((one) => one.id));
  for (const id of done) picked.delete(id);
  worked(done);
  show();
  if (result.error) showProblem(result.error);
}

async function changeVisibility(visibility: string): Promise<void> {
  const chosen = VISIBILITIES.find((one) => one === visibility);
  if (!chosen) return;
  await each(
    (one) => call(`/collections/${one.id}`, { method: "PATCH", json: { visibility: chosen } }),
    (done) => (rows = rows.map((one) => (done.has(one.id) ? { ...one, visibility: chosen } : one))),
  );
}

async function remove(): Promise<void> {
  const chosen = pickedRows();
  const photos = chosen.reduce((sum, one) => sum + one.photos, 0);
  const question = t("photos.delete.ask", { sequences: tn("photos.sequences", chosen.length), photos: tn("photos.count", photos) });
  if (!(await confirm(question, t("sequence.delete")))) return;
  await each(
    (one) => call(`/collections/${one.id}`, { method: "DELETE" }),
    (done) => (rows = rows.filter((one) => !done.has(one.id))),
  );
}

async function load(): Promise<void> {
  try {
    await loadRows(new AbortController().signal, (more) => {
      rows = rows.concat(more);
      show();
    });
  } finally {
    list.setAttribute("aria-busy", "false");
  }
  show();
  fitMap();
}

/** The first time, the map shows where one's sequences are; from then on it stays where the person moves it. */
function fitMap(): void {
  const here = around(rows.flatMap((one) => (one.box ? [one.box] : [])));
  if (!map || !here || fitted) return;
  fitted = true;
  map.map.fitBounds(here, { padding: 60, maxZoom: 16, animate: false });
}

function highlight(id: string | null): void {
  for (const node of list.children) node.classList.toggle("pointed", node instanceof HTMLElement && node.dataset["id"] === id);
  marked?.point(id);
}

/** Turns to the sequence's page of the list, and to its row. */
function reveal(id: string): void {
  const at = matchingRows().findIndex((one) => one.id === id);
  if (at < 0) return;
  number = Math.floor(at / PAGE_SIZE);
  show();
  highlight(id);
  list.querySelector(`[data-id="${id}"]`)?.scrollIntoView({ block: "nearest" });
}

async function showMap(): Promise<void> {
  if (!user) return;
  need("#show-map").hidden = true;
  const place = need("#map");
  place.classList.add("open");
  map = await coverageMap(place, user.id);
  marked = marks(map, highlight, reveal);
  marked.show(matchingRows());
  fitMap();
  need("#search-area").hidden = false;
}

/** Lists only what is in the area; null for all again. */
async function search(box: Box | null): Promise<void> {
  searching.abort();
  searching = new AbortController();
  const { signal } = searching;
  clearProblem();
  try {
    const crossed = box ? await sequencesIn(box, signal) : new Set<string>();
    if (signal.aborted) return;
    area = box ? { box, crossed } : null;
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  number = 0;
  picked.clear();
  need("#in-area").hidden = area === null;
  show();
}

const refresh = (): void => {
  number = 0;
  show();
};
const turn = (by: number): void => {
  number += by;
  show();
  need("#list-title").scrollIntoView({ block: "start" });
};
need("select[name=sort]").append(...SORTS.map((one: Sort) => el("option", { value: one }, t(`photos.sort.${one}`))));
for (const place of [need("select[name=visibility]"), need("#picked-visibility")]) {
  place.append(...VISIBILITIES.map((one) => el("option", { value: one }, t(`visibility.${one}`))));
}
form.addEventListener("change", refresh);
form.addEventListener("submit", (event) => event.preventDefault());
// The fields have their old values until the event is over.
form.addEventListener("reset", () => setTimeout(refresh));
need("#previous").addEventListener("click", () => turn(-1));
need("#next").addEventListener("click", () => turn(1));
need("#pick-all").addEventListener("change", (event) => {
  const pick = (event.target as HTMLInputElement).checked;
  for (const one of shownRows()) {
    if (pick) picked.add(one.id);
    else picked.delete(one.id);
  }
  show();
});
need("#picked-visibility").addEventListener("change", (event) => {
  const select = event.target as HTMLSelectElement;
  const chosen = select.value;
  select.value = "";
  changeVisibility(chosen).catch(showProblem);
});
need("#picked-delete").addEventListener("click", () => void remove().catch(showProblem));
need("#search-area").addEventListener("click", () => {
  const bounds = map?.map.getBounds();
  if (bounds) search([bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()]).catch(showProblem);
});
need("#everywhere").addEventListener("click", () => void search(null).catch(showProblem));
need("#show-map").addEventListener("click", () => void showMap().catch(showProblem));
load().catch(showProblem);
// Beside the list there is room for it; on a phone it comes when asked for, as it is a large program.
if (matchMedia("(min-width: 64rem)").matches) showMap().catch(showProblem);
