/** Administration: reports to deal with, what the blurring is at, the instance in figures. For administrators only. */
import { call } from "../core/api";
import { copyButton } from "../core/copy";
import { el, icon, need } from "../core/dom";
import { duration } from "../core/format";
import { locale, t, tn } from "../core/i18n";
import { showProblem, start } from "../core/page";
import { openReports, reportRow, type Report } from "../core/reports";

const WINDOWS = ["1d", "7d", "30d"] as const;

/** The API's figures about the whole instance. */
interface Stats {
  accounts: { total: number; new: Record<string, number> };
  pictures: { total: number; by_status: Record<string, number>; new: Record<string, number>; seconds_since_last_insert: number | null };
  sequences: { total: number; by_visibility: Record<string, number> };
  jobs: { by_task: Record<string, number>; oldest_due_job_age_seconds: number | null };
}

const number = (value: number | undefined): string => (value ?? 0).toLocaleString(locale());

function fact(name: string, value: string): HTMLElement {
  return el("div", {}, el("dt", {}, name), el("dd", {}, value));
}

function figures(name: string, total: number, recent?: Record<string, number>): HTMLTableRowElement {
  const cells = WINDOWS.map((one) => el("td", {}, recent ? number(recent[one]) : "–"));
  return el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, number(total)), ...cells);
}

function showStats(stats: Stats): void {
  const { accounts, pictures, sequences, jobs } = stats;
  need("#figures").replaceChildren(
    figures(t("admin.accounts"), accounts.total, accounts.new),
    figures(t("admin.sequences"), sequences.total),
    figures(t("sequence.photos"), pictures.total, pictures.new),
  );
  need("#states").replaceChildren(
    fact(t("visibility.logged-only"), tn("photos.sequences", sequences.by_visibility["logged-only"] ?? 0)),
    fact(t("visibility.owner-only"), tn("photos.sequences", sequences.by_visibility["owner-only"] ?? 0)),
  );
  const waiting = jobs.by_task["prepare"] ?? 0;
  const oldest = jobs.oldest_due_job_age_seconds;
  const latest = pictures.seconds_since_last_insert;
  need("#queue").replaceChildren(
    fact(t("admin.waiting"), tn("photos.count", waiting)),
    fact(t("admin.oldest"), oldest === null || oldest <= 0 ? "–" : duration(oldest)),
    fact(t("admin.latest"), latest === null ? "–" : t("admin.ago", { time: duration(latest) })),
  );
  const broken = pictures.by_status["broken"] ?? 0;
  need("#broken").hidden = broken === 0;
  need("#queue-fine").hidden = broken > 0;
  need("#broken-count").textContent = tn("admin.broken", broken);
}

/** Where a reported thing can be looked at: its photo in Explore, or the page of its sequence. */
function place(report: Report): HTMLElement {
  if (!report.picture_id) return el("a", { class: "button small", href: `/sequence/${report.sequence_id ?? ""}` }, t("reports.sequence"));
  const image = el("img", { src: `/api/pictures/${report.picture_id}/thumb.jpg`, alt: t("reports.photo"), loading: "lazy" });
  image.addEventListener("error", () => image.replaceWith(icon("picture")));
  return el("a", { class: "cover", href: `/explore?pic=${report.picture_id}&focus=pic` }, image);
}

async function showReports(): Promise<void> {
  const reports = await openReports("/reports", "all");
  const list = need("#reports");
  list.replaceChildren(...reports.map((one) => reportRow(one, place(one), () => void showReports().catch(showProblem), showProblem)));
  if (!reports.length) list.append(el("li", { class: "muted" }, t("admin.reports.none")));
  list.setAttribute("aria-busy", "false");
}

await start();
copyButton(need("#copy-failed"), () => need("#failed").textContent);
await Promise.all([showReports(), call<Stats>("/admin/stats").then(showStats)]).catch(showProblem);
