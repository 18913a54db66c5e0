/** The sequences of My Photos as rows: read from the API's links, sorted and filtered here, where it is asked for often. */
import type { SequenceLink, Visibility } from "../core/api";
import type { Box } from "../core/extent";

export interface Row {
  id: string;
  title: string;
  /** When it was uploaded, and when its first and last photo were taken; ISO 8601, empty where unknown. */
  uploaded: string;
  shot: string;
  shotUntil: string;
  photos: number;
  kilometres: number;
  visibility: Visibility | "";
  ready: boolean;
  /** Where it was shot; null until it is ready. */
  box: Box | null;
}

export const SORTS = ["uploaded", "shot", "title", "photos", "kilometres", "visibility", "ready"] as const;
export type Sort = (typeof SORTS)[number];

export interface Wanted {
  /** Days as yyyy-mm-dd, both included; empty for no limit. */
  from: string;
  until: string;
  visibility: string;
  sort: Sort;
  descending: boolean;
}

export function row(one: SequenceLink): Row {
  const [shot, until] = one.extent.temporal.interval[0] ?? [null, null];
  const ready = one["geovisio:status"] === "ready";
  return {
    id: one.id,
    title: one.title,
    uploaded: one.created,
    shot: shot ?? "",
    shotUntil: until ?? shot ?? "",
    photos: one["stats:items"].count,
    kilometres: one["geovisio:length_km"] ?? 0,
    visibility: one["geovisio:visibility"] ?? "",
    ready,
    // Before that, the API says that it is all over the world.
    box: ready ? (one.extent.spatial?.bbox[0] ?? null) : null,
  };
}

/** Those that match, in the wanted order; equal ones with the latest upload first. A sequence matches a day on which any of it was shot. */
export function arrange(rows: readonly Row[], wanted: Wanted, language: string): Row[] {
  const names = new Intl.Collator(language, { numeric: true, sensitivity: "base" });
  const sign = wanted.descending ? -1 : 1;
  const compare = (a: Row, b: Row): number => {
    const [left, right] = [a[wanted.sort], b[wanted.sort]];
    if (typeof left === "string" && typeof right === "string") return names.compare(left, right);
    return Number(left) - Number(right);
  };
  return rows
    .filter(
      (one) =>
        (!wanted.from || one.shotUntil.slice(0, 10) >= wanted.from) &&
        (!wanted.until || (one.shot !== "" && one.shot.slice(0, 10) <= wanted.until)) &&
        (!wanted.visibility || one.visibility === wanted.visibility),
    )
    .sort((a, b) => sign * compare(a, b) || b.uploaded.localeCompare(a.uploaded));
}

/** How many pages there are, at least one, and the rows of one of them (counted from 0, kept within what there is). */
export function page<T>(rows: readonly T[], number: number, size: number): { pages: number; number: number; rows: T[] } {
  const pages = Math.max(1, Math.ceil(rows.length / size));
  const within = Math.min(Math.max(0, number), pages - 1);
  return { pages, number: within, rows: rows.slice(within * size, (within + 1) * size) };
}
