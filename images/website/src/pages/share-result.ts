/** What became of each file, at the end of an upload. */
import type { UploadSet } from "../core/api";
import { el, icon, need } from "../core/dom";
import { t, tn } from "../core/i18n";
import type { Reason } from "../upload/outcome";
import { csv, type Row } from "../upload/report";

/** Beside these reasons the API's own sentence says more than ours. */
const VAGUE = new Set(["invalid_file", "other_error"]);

function reasonText(reason: Reason): string {
  const text = t(`reason.${reason.code}`);
  return reason.detail && VAGUE.has(reason.code) ? `${text} (${reason.detail})` : text;
}

function resultText(row: Row): string {
  return row.reason ? reasonText(row.reason) : t("share.result.accepted");
}

function line(row: Row): HTMLTableRowElement {
  const mark = row.accepted ? icon("check") : icon("cross");
  return el(
    "tr",
    { class: row.accepted ? "accepted" : "rejected" },
    el("td", { class: "file-name", title: row.path }, row.name),
    el("td", {}, el("span", { class: "mark" }, mark, resultText(row))),
  );
}

function download(rows: readonly Row[]): void {
  const lines = rows.map((row) => [row.path, resultText(row)]);
  const blob = new Blob(["\ufeff", csv([t("share.col.file"), t("share.col.result")], lines)], { type: "text/csv" });
  const address = URL.createObjectURL(blob);
  el("a", { href: address, download: "panoramax-upload.csv" }).click();
  URL.revokeObjectURL(address);
}

function table(rows: readonly Row[]): HTMLElement {
  const body = el("tbody", {}, ...rows.map(line));
  const head = el("tr", {}, el("th", { scope: "col" }, t("share.col.file")), el("th", { scope: "col" }, t("share.col.result")));
  const whole = el("div", { class: "table-scroll", tabindex: 0 }, el("table", {}, el("thead", {}, head), body));
  const filter = el("select", { "aria-label": t("share.col.result") });
  filter.append(el("option", { value: "" }, t("share.filter.all")));
  filter.append(el("option", { value: "rejected" }, t("share.filter.rejected")));
  filter.addEventListener("change", () => whole.classList.toggle("only-rejected", filter.value !== ""));
  const save = el("button", { class: "button quiet", type: "button", click: () => download(rows) }, t("share.download"));
  return el("div", { class: "card" }, el("div", { class: "bar-head" }, filter, save), whole);
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
