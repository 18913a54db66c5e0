/** The list of files with a progress bar each. */
import { el } from "../core/dom";
import { t } from "../core/i18n";
import { VirtualList, type Line } from "../core/virtual";
import { settled, type Entry } from "../upload/queue";
import { reasonText } from "./share-text";

function line(): Line<Entry> {
  const name = el("span", { class: "file-name" });
  const bar = el("progress", { max: 1, value: 0 });
  const state = el("span", { class: "state" });
  const node = el("div", {}, name, bar, state);
  return {
    node,
    draw: (entry) => {
      node.className = `file-row ${entry.state}`;
      if (name.textContent !== entry.name) {
        name.textContent = entry.name;
        name.title = entry.path;
        bar.setAttribute("aria-label", entry.name);
      }
      bar.value = settled(entry) ? 1 : entry.size ? entry.sent / entry.size : 0;
      const text = entry.reason ? reasonText(entry.reason) : t(`share.state.${entry.state}`);
      if (state.textContent !== text) state.textContent = text;
    },
  };
}

/** @param label what the list is, for screen readers */
export function fileList(place: HTMLElement, entries: readonly Entry[], label: string): VirtualList<Entry> {
  const list = new VirtualList<Entry>(place, line, { heights: [42, 64], label });
  list.items = entries;
  return list;
}
