/** What became of each file, at the end of an upload. */
import type { UploadSet } from "../core/api";
import { el, icon, need } from "../core/dom";
import { t, tn } from "../core/i18n";
import { VirtualList, type Line } from "../core/virtual";
import { csv, type Row } from "../upload/report";
import { reasonText } from "./share-text";

function resultText(row: Row): string {
  return row.reason ? reasonText(row.reason) : t("share.result.accepted");
}

function line(): Line<Row> {
  const name = el("span", { class: "file-name" });
  const mark = el("span", { class: "mark" });
  const node = el("div", {}, name, mark);
  return {
    node,
    draw: (row) => {
      node.className = `file-row result ${row.accepted ? "accepted" : "rejected"}`;
      name.textContent = row.name;
      name.title = row.path;
      mark.title = resultText(row);
      mark.replaceChildren(icon(row.accepted ? "check" : "cross"), el("span", {}, resultText(row)));
    },
  };
}

function download(rows: readonly Row[]): void {
  const lines = rows.map((row) => [row.path, row.name, t(row.accepted ? "share.result.accepted" : "share.state.rejected"), row.reason ? reasonText(row.reason) : ""]);
  const head = [t("share.col.file"), t("share.col.name"), t("share.col.result"), t("share.col.reason")];
  const blob = new Blob(["\ufeff", csv(head, lines)], { type: "text/csv" });
  const address = URL.createObjectURL(blob);
  el("a", { href: address, download: "panoramax-upload.csv" }).click();
  URL.revokeObjectURL(address);
}

function table(rows: readonly Row[]): HTMLElement {
  const place = el("div", { class: "file-list tall" });
  const list = new VirtualList<Row>(place, line, { heights: [42, 84], label: t("share.list") });
  list.items = rows;
  const filter = el("select", { "aria-label": t("share.col.result") });
  filter.append(el("option", { value: "" }, t("share.filter.all")));
  filter.append(el("option", { value: "rejected" }, t("share.filter.rejected")));
  filter.addEventListener("change", () => {
    list.items = filter.value ? rows.filter((row) => !row.accepted) : rows;
  });
  const save = el("button", { class: "button quiet", type: "button", click: () => download(rows) }, t("share.download"));
  return el("div", { class: "card" }, el("div", { class: "bar-head" }, filter, save), place);
}

/** @param set the upload as the server knows it, null when nothing was accepted */
export function showResult(rows: readonly Row[], set: UploadSet | null): void {
  const accepted = rows.filter((row) => row.accepted).length;
  const rejected = rows.length - accepted;
  const broken = set?.items_status?.broken ?? 0;
  const facts = [
    el("p", { class: "mark ok" }, icon("check"), tn("share.accepted", accepted)),
    rejected > 0 && el("p", { class: "mark bad" }, icon("cross"), tn("share.rejected", rejected)),
    broken > 0 && el("p", { class: "mark bad" }, icon("cross"), tn("share.broken", broken)),
  ];
  const links = (set?.associated_collections ?? []).map((one) =>
    el("a", { class: "button primary", href: `/sequence/${one.id}` }, t("share.open", { title: one.title })),
  );
  const again = el("a", { class: "button", href: "/share-photos" }, t("share.more"));
  const result = need("#result");
  result.replaceChildren(
    el(
      "div",
      { class: "card" },
      el("h2", {}, t(accepted ? "share.done" : "share.done.none")),
      el("div", { class: "figures-row" }, ...facts),
      el("div", { class: "actions" }, ...links, again),
    ),
    table(rows),
  );
  result.hidden = false;
  result.focus({ preventScroll: true });
  window.scrollTo({ top: 0 });
}
