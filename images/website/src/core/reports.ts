/** Reports about pictures and sequences, as their owners and administrators deal with them. */
import { call } from "./api";
import { confirm } from "./dialog";
import { el } from "./dom";
import { date } from "./format";
import { t } from "./i18n";

/** The API's kinds of report. */
export const ISSUES = [
  "blur_missing",
  "blur_excess",
  "inappropriate",
  "privacy",
  "picture_low_quality",
  "mislocated",
  "copyright",
  "other",
] as const;

export interface Report {
  id: string;
  issue: (typeof ISSUES)[number];
  status: string;
  picture_id?: string;
  sequence_id?: string;
  ts_opened: string;
  reporter_comments?: string;
}

/** @param path "/users/me/reports", or "/reports" for all of the instance (administrators only); open ones, latest first */
export async function openReports(path: "/users/me/reports" | "/reports", mine: "owner" | "all"): Promise<Report[]> {
  const open = "status IN ('open', 'open_autofix', 'waiting')";
  const filter = mine === "owner" ? `${open} AND owner = 'me'` : open;
  const query = new URLSearchParams({ limit: "1000", filter });
  const { reports } = await call<{ reports: Report[] }>(`${path}?${query.toString()}`);
  return reports.sort((a, b) => b.ts_opened.localeCompare(a.ts_opened));
}

/**
 * One report in a list. "Resolve" asks first: it makes what the report hid visible again.
 * @param place where the picture or sequence can be looked at
 */
export function reportRow(report: Report, place: HTMLElement, onResolved: () => void, onProblem: (error: unknown) => void): HTMLLIElement {
  const resolve = async (): Promise<void> => {
    if (!(await confirm(t("reports.resolve.ask"), t("reports.resolve"), "primary"))) return;
    await call(`/reports/${report.id}`, { method: "PATCH", json: { status: "closed_solved" } });
    onResolved();
  };
  return el(
    "li",
    { class: "report" },
    place,
    el(
      "div",
      { class: "grow" },
      el("p", {}, el("strong", {}, t(`issue.${report.issue}`))),
      report.reporter_comments && el("p", {}, report.reporter_comments),
      el("p", { class: "muted" }, t("reports.since", { date: date(report.ts_opened) })),
    ),
    el("button", { class: "button", type: "button", click: () => void resolve().catch(onProblem) }, t("reports.resolve")),
  );
}
