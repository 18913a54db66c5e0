/** Share Photos: choose, upload, wait for the blurring, see what became of each file. */
import { el, need } from "../core/dom";
import { size } from "../core/format";
import { locale, t, tn } from "../core/i18n";
import { clearProblem, showProblem, start } from "../core/page";
import { fromDrop, fromInput, sorted, type Found } from "../upload/collect";
import { flatten, isPicture, suggestTitle } from "../upload/names";
import { newEntry } from "../upload/queue";
import { TRANSPORTS, VISIBILITIES, type Request } from "../upload/uploadset";
import { runUpload } from "./share-run";

interface Chosen {
  pictures: Found[];
  skipped: string[];
}

let chosen: Chosen = { pictures: [], skipped: [] };

function showChosen(): void {
  const { pictures, skipped } = chosen;
  const bytes = pictures.reduce((sum, one) => sum + one.file.size, 0);
  const parts: Node[] = [];
  if (pictures.length) {
    const folders = [...new Set(pictures.map((one) => one.path.split("/").at(-2) ?? ""))].filter(Boolean);
    const names = folders.slice(0, 4).join(", ") + (folders.length > 4 ? ", …" : "");
    parts.push(
      el("strong", {}, tn("share.selected", pictures.length)),
      el("span", { class: "muted" }, ` · ${size(bytes)}${names ? ` · ${names}` : ""}`),
    );
  }
  const lines: Node[] = parts.length ? [el("p", { class: "chosen-line" }, ...parts)] : [];
  if (skipped.length) lines.push(el("p", { class: "muted" }, tn("share.skipped", skipped.length)));
  if (!pictures.length && skipped.length) lines.push(el("p", { class: "error" }, t("share.none")));
  need("#chosen").replaceChildren(...lines);
  need("#fields").hidden = pictures.length === 0;
  need("#drop").classList.toggle("small", pictures.length > 0);
}

function add(found: readonly Found[]): void {
  const known = new Set([...chosen.pictures.map((one) => one.path), ...chosen.skipped]);
  const fresh = found.filter((one) => !known.has(one.path));
  const pictures = sorted([...chosen.pictures, ...fresh.filter((one) => isPicture(one.path))]);
  const skipped = [...chosen.skipped, ...fresh.filter((one) => !isPicture(one.path)).map((one) => one.path)];
  chosen = { pictures, skipped };
  const title = need<HTMLInputElement>("#title");
  if (!title.value && pictures.length) {
    const newest = new Date(Math.max(...pictures.map((one) => one.file.lastModified)));
    title.value = suggestTitle(
      pictures.map((one) => one.path),
      newest,
      locale(),
    );
  }
  showChosen();
}

function wireDrop(): void {
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
    need("#chosen").replaceChildren(el("p", { class: "muted" }, t("share.reading")));
    fromDrop(event.dataTransfer).then(add, showProblem);
  });
}

function wireInputs(): void {
  for (const id of ["#files", "#folder"]) {
    const input = need<HTMLInputElement>(id);
    input.addEventListener("change", () => {
      add(fromInput(input.files ?? []));
      input.value = "";
    });
  }
  need("#clear").addEventListener("click", () => {
    chosen = { pictures: [], skipped: [] };
    need<HTMLInputElement>("#title").value = "";
    showChosen();
  });
}

function fillChoices(): void {
  const transport = need<HTMLSelectElement>("#transport");
  for (const mode of TRANSPORTS) transport.append(el("option", { value: mode }, t(`share.transport.${mode}`)));
  transport.append(el("option", { value: "" }, t("share.transport.none")));
  for (const [index, value] of VISIBILITIES.entries()) {
    need("#visibility").append(
      el(
        "label",
        { class: "choice" },
        el("input", { type: "radio", name: "visibility", value, checked: index === 0 }),
        el("span", {}, el("strong", {}, t(`visibility.${value}`)), el("small", {}, t(`visibility.${value}.text`))),
      ),
    );
  }
}

function request(): Request {
  const checked = need<HTMLInputElement>("input[name=visibility]:checked").value;
  return {
    title: need<HTMLInputElement>("#title").value.trim(),
    files: chosen.pictures.length,
    visibility: VISIBILITIES.find((one) => one === checked) ?? "logged-only",
    transport: TRANSPORTS.find((one) => one === need<HTMLSelectElement>("#transport").value) ?? "",
  };
}

await start();
fillChoices();
wireDrop();
wireInputs();
need<HTMLFormElement>("#choose").addEventListener("submit", (event) => {
  event.preventDefault();
  const title = need<HTMLInputElement>("#title");
  title.value = title.value.trim();
  if (!chosen.pictures.length || !title.reportValidity()) return;
  clearProblem();
  need("#intro").hidden = true;
  const names = flatten(chosen.pictures.map((one) => one.path));
  const entries = chosen.pictures.map((one, index) => newEntry(one.path, names[index] ?? one.file.name, one.file));
  const button = need<HTMLButtonElement>("#upload");
  button.disabled = true;
  runUpload(request(), entries, chosen.skipped).catch((error: unknown) => {
    button.disabled = false;
    showProblem(error);
  });
});
