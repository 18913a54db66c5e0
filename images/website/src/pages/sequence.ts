/** One sequence: its photos, and for its owner and administrators rename, visibility, hide, delete. */
import { call, link, type Collection, type Item, type Link, type Visibility } from "../core/api";
import { ask, confirm } from "../core/dialog";
import { el, icon, need } from "../core/dom";
import { date, distance } from "../core/format";
import { t } from "../core/i18n";
import { clearProblem, showProblem, start } from "../core/page";
import { VISIBILITIES } from "../upload/uploadset";

const PAGE_SIZE = 200;

await start();
const id = location.pathname.split("/").at(-1) ?? "";

function change(path: string, json: Record<string, string>): Promise<unknown> {
  clearProblem();
  return call(path, { method: "PATCH", json });
}

async function rename(): Promise<void> {
  const heading = need("#title");
  const title = await ask(t("sequence.rename.ask"), heading.textContent);
  if (title === null) return;
  await change(`/collections/${id}`, { title });
  showTitle(title);
}

function showTitle(title: string): void {
  need("#title").textContent = title;
  document.title = document.title.replace(/^.*(?= · )/, () => title);
}

async function remove(count: number): Promise<void> {
  if (!(await confirm(t("sequence.delete.ask", { n: count }), t("sequence.delete")))) return;
  await call(`/collections/${id}`, { method: "DELETE" });
  location.assign("/my-photos");
}

function fact(name: string, value: string | Node): HTMLElement {
  return el("div", {}, el("dt", {}, name), el("dd", {}, value));
}

/** A choice for those who may change it, plain text for everybody else. */
function visibilityField(sequence: Collection): string | Node {
  const now = sequence["geovisio:visibility"];
  if (!now) return "–";
  if (!link(sequence.links, "edit")) return t(`visibility.${now}`);
  const offered: readonly Visibility[] = VISIBILITIES.some((one) => one === now) ? VISIBILITIES : [now, ...VISIBILITIES];
  const select = el("select", { "aria-label": t("photos.visibility") });
  select.append(...offered.map((one) => el("option", { value: one, selected: one === now }, t(`visibility.${one}`))));
  select.addEventListener("change", () => {
    change(`/collections/${id}`, { visibility: select.value }).catch((error: unknown) => {
      select.value = now;
      showProblem(error);
    });
  });
  return select;
}

function actions(sequence: Collection): HTMLElement[] {
  const button = (text: string, kind: string, action: () => Promise<void>): HTMLElement =>
    el("button", { class: `button ${kind}`, type: "button", click: () => void action().catch(showProblem) }, text);
  const list: HTMLElement[] = [
    el("a", { class: "button primary", href: `/explore?seq=${id}&focus=pic`, id: "fullscreen" }, t("sequence.fullscreen")),
  ];
  if (link(sequence.links, "edit")) list.push(button(t("sequence.rename"), "", rename));
  if (link(sequence.links, "delete")) {
    list.push(button(t("sequence.delete"), "danger", () => remove(sequence["stats:items"].count)));
  }
  return list;
}

async function showHead(): Promise<Collection> {
  const sequence = await call<Collection>(`/collections/${id}`);
  showTitle(sequence.title);
  const producer = sequence.providers?.find((one) => one.roles.includes("producer"));
  need("#facts").replaceChildren(
    fact(t("sequence.photos"), String(sequence["stats:items"].count)),
    fact(t("photos.shot"), date(sequence.extent.temporal.interval[0]?.[0])),
    fact(t("photos.uploaded"), date(sequence.created)),
    fact(t("photos.distance"), distance(sequence["geovisio:length_km"])),
    fact(t("sequence.by"), producer?.name ?? "–"),
    fact(t("photos.visibility"), visibilityField(sequence)),
  );
  need("#actions").replaceChildren(...actions(sequence));
  return sequence;
}

const pictureAddress = (item: Item): string => `/explore?seq=${id}&pic=${item.id}&focus=pic`;

function photo(item: Item, mayEdit: boolean): HTMLLIElement {
  const props = item.properties;
  const name = props["original_file:name"] ?? date(props.datetime);
  const source = item.assets.thumb?.href;
  const node = el("li", { title: name });
  const image = el("img", { alt: t("sequence.photo", { name }), loading: "lazy", ...(source ? { src: new URL(source).pathname } : {}) });
  node.append(el("a", { href: pictureAddress(item) }, image));
  const badge = el("span", { class: "badge", title: t("sequence.hidden"), role: "img", "aria-label": t("sequence.hidden") });
  badge.append(icon("eyeOff"));
  const toggle = el("button", { class: "button small", type: "button" });
  const show = (hidden: boolean): void => {
    node.classList.toggle("hidden", hidden);
    badge.hidden = !hidden;
    toggle.textContent = t(hidden ? "sequence.unhide" : "sequence.hide");
  };
  toggle.addEventListener("click", () => {
    const hide = !node.classList.contains("hidden");
    // "logged-only" is the widest that this instance allows; "anyone" is refused.
    change(`/collections/${id}/items/${item.id}`, { visibility: hide ? "owner-only" : "logged-only" }).then(
      () => show(hide),
      showProblem,
    );
  });
  show(props["geovisio:visibility"] === "owner-only");
  node.append(badge);
  if (mayEdit) node.append(toggle);
  return node;
}

async function showPhotos(address: string, mayEdit: boolean): Promise<void> {
  const page = await call<{ features: Item[]; links: Link[] }>(address);
  const place = need("#thumbs");
  // Without a picture the viewer would open on the map.
  const first = page.features[0];
  if (!place.children.length && first) need<HTMLAnchorElement>("#fullscreen").href = pictureAddress(first);
  place.append(...page.features.map((item) => photo(item, mayEdit)));
  place.setAttribute("aria-busy", "false");
  const next = link(page.links, "next");
  const more = need<HTMLButtonElement>("#more");
  more.hidden = next === undefined;
  more.onclick = next === undefined ? null : () => void showPhotos(next, mayEdit).catch(showProblem);
}

try {
  const sequence = await showHead();
  await showPhotos(`/collections/${id}/items?limit=${PAGE_SIZE}`, link(sequence.links, "edit") !== undefined);
} catch (error) {
  showProblem(error);
}
