/** The list of files with a progress bar each. */
import { el } from "../core/dom";
import { t } from "../core/i18n";
import type { Entry } from "../upload/queue";

interface Line {
  node: HTMLLIElement;
  bar: HTMLProgressElement;
  state: HTMLElement;
}

export class FileList {
  readonly #lines = new Map<Entry, Line>();
  readonly #changed = new Set<Entry>();

  /** The browser skips the layout of lines out of sight (content-visibility), so thousands are fine. */
  constructor(place: HTMLElement, entries: readonly Entry[]) {
    for (const entry of entries) {
      const bar = el("progress", { max: 1, value: 0, "aria-label": entry.name });
      const state = el("span", { class: "state" }, t("share.state.waiting"));
      const node = el("li", {}, el("span", { class: "file-name", title: entry.path }, entry.name), bar, state);
      this.#lines.set(entry, { node, bar, state });
    }
    place.replaceChildren(...Array.from(this.#lines.values(), (line) => line.node));
  }

  /** Redraws the entry's line with the next frame; many changes in one frame cost one redraw. */
  update(entry: Entry): void {
    if (this.#changed.size === 0) requestAnimationFrame(() => this.#draw());
    this.#changed.add(entry);
  }

  #draw(): void {
    for (const entry of this.#changed) {
      const line = this.#lines.get(entry);
      if (!line) continue;
      const finished = entry.state === "accepted" || entry.state === "rejected";
      line.node.className = entry.state;
      line.bar.value = finished ? 1 : entry.file.size ? entry.sent / entry.file.size : 0;
      line.state.textContent = entry.reason ? t(`reason.${entry.reason.code}`) : t(`share.state.${entry.state}`);
    }
    this.#changed.clear();
  }
}
