/** A long list of which only the lines in sight exist: thousands of files scroll as smoothly as ten. */
import { el } from "./dom";

/** Lines drawn above and below those in sight. */
const MORE = 6;
const NARROW = "(max-width: 36rem)";

export interface Line<T> {
  node: HTMLElement;
  /** Writes the item into the line's elements; called again whenever it may have changed. */
  draw: (item: T) => void;
}

interface Options {
  /** Height of a line in pixels, on wide and on narrow screens. */
  heights: readonly [number, number];
  label: string;
}

export class VirtualList<T> {
  readonly #inner = el("div", { class: "virtual-inner" });
  readonly #lines = new Map<number, Line<T>>();
  readonly #narrow = matchMedia(NARROW);
  #items: readonly T[] = [];
  #asked = false;

  constructor(
    readonly place: HTMLElement,
    readonly make: () => Line<T>,
    readonly options: Options,
  ) {
    place.classList.add("virtual");
    place.tabIndex = 0;
    place.setAttribute("role", "list");
    place.setAttribute("aria-label", options.label);
    this.#inner.setAttribute("role", "presentation");
    place.replaceChildren(this.#inner);
    place.addEventListener("scroll", () => this.refresh(), { passive: true });
    new ResizeObserver(() => this.refresh()).observe(place);
  }

  set items(items: readonly T[]) {
    this.#items = items;
    for (const line of this.#lines.values()) line.node.remove();
    this.#lines.clear();
    this.place.scrollTop = 0;
    this.refresh();
  }

  /** Draws the lines in sight again, with the next frame. */
  refresh(): void {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#draw();
    });
  }

  #draw(): void {
    const height = this.options.heights[this.#narrow.matches ? 1 : 0];
    const count = this.#items.length;
    this.#inner.style.height = `${count * height}px`;
    const { scrollTop, clientHeight } = this.place;
    const first = Math.max(0, Math.floor(scrollTop / height) - MORE);
    const last = Math.min(count, Math.ceil((scrollTop + clientHeight) / height) + MORE);
    for (const [index, line] of this.#lines) {
      if (index >= first && index < last) continue;
      line.node.remove();
      this.#lines.delete(index);
    }
    for (let index = first; index < last; index += 1) {
      const item = this.#items[index];
      if (item === undefined) continue;
      const line = this.#lines.get(index) ?? this.#add(index);
      line.node.style.transform = `translateY(${index * height}px)`;
      line.node.style.height = `${height}px`;
      line.draw(item);
    }
  }

  #add(index: number): Line<T> {
    const line = this.make();
    line.node.setAttribute("role", "listitem");
    line.node.setAttribute("aria-setsize", String(this.#items.length));
    line.node.setAttribute("aria-posinset", String(index + 1));
    this.#lines.set(index, line);
    this.#inner.append(line.node);
    return line;
  }
}
