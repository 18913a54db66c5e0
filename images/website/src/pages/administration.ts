/** Administration: reports to deal with, what the blurring is at, the instance in figures. For administrators only. */
import { call } from "../core/api";
import { el, icon, need } from "../core/dom";
import { duration, time } from "../core/format";
import { locale, t, tn } from "../core/i18n";
import { clearProblem, showProblem, start } from "../core/page";
import { openReports, reportRow, type Report } from "../core/reports";

const WINDOWS = ["1d", "7d", "30d"] as const;

/** The API's figures about the whole instance. */
interface Stats {
  accounts: { total: number; new: Record<string, number> };
  pictures: { total: number; by_status: Record<string, number>; new: Record<string, number>; seconds_since_last_insert: number | null };
  sequences: { total: number; by_visibility: Record<string, number> };
  jobs: { by_task: Record<string, number>; oldest_due_job_age_seconds: number | null };
}

/** A picture whose blurring failed; `next` is when it is tried again by itself, empty for one that is broken. */
interface Failed {
  id: string;
  account: string;
  file: string;
  state: string;
  tries: number;
  next: string;
  reason: string;
  collection: string | null;
}

const FAILED = "/admin/failed_pictures";

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

async function retry(pictures: string[] | "all"): Promise<void> {
  clearProblem();
  const { queued } = await call<{ queued: string[] }>(`${FAILED}/retry`, { method: "POST", json: { pictures } });
  await showBlurring();
  const done = need("#retried");
  done.textContent = tn("admin.retried", queued.length);
  done.hidden = false;
}

function failedRow(one: Failed): HTMLLIElement {
  const name = one.file || one.id;
  const again = (): void => void retry([one.id]).catch(showProblem);
  return el(
    "li",
    { class: "report" },
    el(
      "div",
      { class: "grow" },
      el("p", {}, one.collection ? el("a", { href: `/sequence/${one.collection}` }, name) : name, ` · ${one.account}`),
      el("p", { class: "muted" }, one.reason || t("admin.failed.unknown")),
      one.next && el("p", { class: "muted" }, t("admin.failing", { n: one.tries, date: time(one.next) })),
    ),
    one.state === "broken" && el("button", { class: "button", type: "button", click: again }, t("sequence.retry")),
  );
}

async function showBlurring(): Promise<void> {
  const [stats, { pictures, total }] = await Promise.all([
    call<Stats>("/admin/stats"),
    call<{ pictures: Failed[]; total: number }>(FAILED),
  ]);
  showStats(stats);
  need("#failed").replaceChildren(...pictures.map(failedRow));
  const more = need("#failed-more");
  more.hidden = total <= pictures.length;
  more.textContent = t("admin.failed.more", { n: pictures.length });
}

await start();
need("#retry-all").addEventListener("click", () => void retry("all").catch(showProblem));
await Promise.all([showReports(), showBlurring()]).catch(showProblem);
