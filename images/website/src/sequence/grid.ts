/**
 * The thumbnails of a sequence, in batches of a few rows. A batch out of sight costs the browser nothing
 * (content-visibility, lazy images), and one that comes into sight is laid out by itself, not with thousands of others.
 */
import { el, icon } from "../core/dom";
import { t } from "../core/i18n";
import type { Photo } from "./photos";

export interface Grid {
  add(photos: readonly Photo[]): void;
  /** Shows a changed photo anew. */
  update(photo: Photo): void;
  remove(id: string): void;
  highlight(id: string | null): void;
  picked(): Photo[];
  pickAll(pick: boolean): void;
}

const ROWS = 8;
/** In rem, as in photos.css: a thumbnail is at least that wide, with so much between two. */
const WIDTH = 10.5;
const GAP = 0.75;
const FEWEST_COLUMNS = 2;

interface Options {
  place: HTMLElement;
  sequence: string;
  mayEdit: boolean;
  onPoint: (photo: Photo | null) => void;
}

export function address(sequence: string, photo: Photo): string {
  return `/explore?seq=${sequence}&pic=${photo.id}&focus=pic`;
}

function badge(photo: Photo): HTMLElement | null {
  const text = photo.status === "broken" ? t("sequence.broken") : photo.status !== "ready" ? t("photos.preparing") : photo.hidden ? t("sequence.hidden") : "";
  if (!text) return null;
  const node = el("span", { class: "badge", title: text, role: "img", "aria-label": text });
  node.append(icon(photo.hidden ? "eyeOff" : "picture"));
  return node;
}

export function grid({ place, sequence, mayEdit, onPoint }: Options): Grid {
  const nodes = new Map<string, HTMLLIElement>();
  const photos = new Map<string, Photo>();
  const boxes = new Map<string, HTMLInputElement>();
  let pointed: HTMLLIElement | undefined;

  const fill = (node: HTMLLIElement, photo: Photo): void => {
    const link = el("a", { href: address(sequence, photo), "aria-label": t("sequence.photo", { name: photo.name }) });
    if (photo.thumbnail && photo.status === "ready") link.append(el("img", { alt: "", loading: "lazy", decoding: "async", src: photo.thumbnail }));
    const old = boxes.get(photo.id);
    const parts: (Node | null)[] = [link, badge(photo)];
    if (mayEdit) {
      const box = el("input", { type: "checkbox", "aria-label": t("sequence.pick", { name: photo.name }) });
      box.checked = old?.checked ?? false;
      boxes.set(photo.id, box);
      parts.push(box);
    }
    node.classList.toggle("hidden", photo.hidden);
    node.replaceChildren(...parts.filter((one) => one !== null));
  };

  /** Puts the thumbnails into batches of whole rows, and touches only those that change. */
  const flow = (): void => {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const width = place.clientWidth / rem;
    const columns = Math.max(FEWEST_COLUMNS, Math.floor((width + GAP) / (WIDTH + GAP)));
    const row = ((width + GAP) / columns - GAP) / 2 + GAP;
    place.style.setProperty("--columns", String(columns));
    const all = [...nodes.values()];
    const size = columns * ROWS;
    for (let index = 0; index * size < all.length; index += 1) {
      const part = all.slice(index * size, (index + 1) * size);
      const batch = place.children[index] ?? place.appendChild(el("ul"));
      const same = part.length === batch.childElementCount && part[0] === batch.firstElementChild && part.at(-1) === batch.lastElementChild;
      if (!same) batch.replaceChildren(...part);
      const height = Math.ceil(part.length / columns) * row - GAP;
      (batch as HTMLElement).style.setProperty("contain-intrinsic-block-size", `${height.toFixed(3)}rem`);
    }
    for (const batch of [...place.children].slice(Math.ceil(all.length / size))) batch.remove();
  };
  let drawn = 0;
  new ResizeObserver(() => {
    if (place.clientWidth === drawn) return;
    drawn = place.clientWidth;
    flow();
  }).observe(place);

  place.addEventListener("pointerover", (event) => {
    const node = event.target instanceof Element ? event.target.closest<HTMLElement>("li[data-id]") : null;
    onPoint(photos.get(node?.dataset["id"] ?? "") ?? null);
  });
  place.addEventListener("pointerleave", () => onPoint(null));

  return {
    add(more) {
      for (const photo of more) {
        const node = el("li", { "data-id": photo.id, title: photo.name });
        photos.set(photo.id, photo);
        nodes.set(photo.id, node);
        fill(node, photo);
      }
      flow();
    },
    update(photo) {
      photos.set(photo.id, photo);
      const node = nodes.get(photo.id);
      if (node) fill(node, photo);
    },
    remove(id) {
      nodes.get(id)?.remove();
      for (const map of [nodes, photos, boxes]) map.delete(id);
      flow();
    },
    highlight(id) {
      pointed?.classList.remove("pointed");
      pointed = nodes.get(id ?? "");
      pointed?.classList.add("pointed");
      pointed?.scrollIntoView({ block: "nearest" });
    },
    picked: () => [...boxes].flatMap(([id, box]) => (box.checked ? (photos.get(id) ?? []) : [])),
    pickAll(pick) {
      for (const box of boxes.values()) box.checked = pick;
    },
  };
}
