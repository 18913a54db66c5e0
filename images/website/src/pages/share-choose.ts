/** Choosing: drag and drop, the browser's dialogs, and what is said about the chosen files before any byte is sent. */
import { el, need } from "../core/dom";
import { size } from "../core/format";
import { t, tn } from "../core/i18n";
import { showProblem } from "../core/page";
import { fromDrop, fromInput, type Found } from "../upload/collect";
import { dropped, fromHandles, picker, type Handle } from "../upload/handles";
import type { Selection } from "../upload/selection";
import { fileList } from "./share-list";

type Take = (found: Found[], handles: Handle[]) => void;

function wait(): void {
  need("#chosen").replaceChildren(el("p", { class: "muted" }, t("share.reading")));
}

function wireDrop(take: Take): void {
  const zone = need("#drop");
  const hover = (on: boolean) => (event: DragEvent): void => {
    event.preventDefault();
    zone.classList.toggle("over", on);
  };
  // The whole page takes the drop: a picture dropped beside the field must not replace the page.
  document.addEventListener("dragover", hover(true));
  document.addEventListener("dragleave", hover(false));
  document.addEventListener("drop", (event) => {
    hover(false)(event);
    if (!event.dataTransfer || need("#choose").hidden) return;
    wait();
    // Both begin in the event's own turn: what was dropped is gone afterwards.
    const [found, handles] = [fromDrop(event.dataTransfer), dropped(event.dataTransfer)];
    Promise.all([found, handles]).then(([files, ways]) => take(files, ways), showProblem);
  });
}

function wireInput(input: HTMLInputElement, folder: boolean, take: Take): void {
  const open = picker(folder);
  if (open) {
    input.addEventListener("click", (event) => {
      event.preventDefault();
      const choose = async (): Promise<void> => {
        const handles = await open();
        if (handles.length === 0) return;
        wait();
        take(await fromHandles(handles), handles);
      };
      choose().catch(showProblem);
    });
  }
  input.addEventListener("change", () => {
    take(fromInput(input.files ?? []), []);
    input.value = "";
  });
}

/** @param take called with what was found, and with handles to it where the browser has them */
export function wireChoice(take: Take): void {
  wireDrop(take);
  wireInput(need<HTMLInputElement>("#files"), false, take);
  wireInput(need<HTMLInputElement>("#folder"), true, take);
}

function rejects(selection: Selection): HTMLElement | null {
  const { rejected } = selection;
  if (!rejected.length) return null;
  const place = el("div", { class: "file-list" });
  const whole = el("details", { class: "rejects" }, el("summary", {}, tn("share.unfit", rejected.length)), place);
  whole.open = document.querySelector<HTMLDetailsElement>("#chosen .rejects")?.open ?? rejected.length <= 20;
  fileList(place, rejected, t("share.list.unfit"));
  return whole;
}

/** Says what is chosen, how far the checks are, and what will be left out. */
export function showChosen(selection: Selection): void {
  const { entries, skipped, checking } = selection;
  const lines: (Node | null)[] = [];
  if (entries.length) {
    const folders = selection.folders();
    const names = folders.slice(0, 4).join(", ") + (folders.length > 4 ? ", …" : "");
    const bytes = entries.reduce((sum, one) => sum + one.size, 0);
    lines.push(
      el(
        "p",
        { class: "chosen-line" },
        el("strong", {}, tn("share.selected", entries.length)),
        el("span", { class: "muted" }, ` · ${size(bytes)}${names ? ` · ${names}` : ""}`),
      ),
    );
    const state = checking
      ? t("share.checking", { done: entries.length - checking, files: entries.length })
      : tn("share.checked", selection.good.length);
    lines.push(el("p", { class: checking ? "muted" : "mark ok" }, state));
  }
  if (skipped.length) lines.push(el("p", { class: "muted" }, tn("share.skipped", skipped.length)));
  const none = entries.length ? !checking && !selection.good.length : skipped.length > 0;
  if (none) lines.push(el("p", { class: "error" }, t(entries.length ? "share.none.fit" : "share.none")));
  lines.push(rejects(selection));
  need("#chosen").replaceChildren(...lines.filter((one) => one !== null));
  need("#fields").hidden = entries.length === 0;
  need<HTMLButtonElement>("#upload").disabled = none;
  need("#drop").classList.toggle("small", entries.length > 0);
}
