/** Reads all of one's sequences from the API, page by page. */
import { ApiError, call, link, type SequenceLink, type SequenceList } from "../core/api";
import type { Box } from "../core/extent";
import { row, type Row } from "./rows";

const PAGE_SIZE = 500;

/**
 * Calls `onRows` with each page as it comes.
 * @param area only sequences whose line runs through it; one of a single photo has no line
 * @throws ApiError, SignedOutError as `call` does
 */
export async function loadRows(signal: AbortSignal, onRows: (rows: Row[]) => void, area: Box | null = null): Promise<void> {
  const query = new URLSearchParams({ limit: String(PAGE_SIZE), sortby: "-created" });
  const place = area ? area.map((one) => one.toFixed(6)).join(",") : "";
  if (place) query.set("bbox", place);
  let next: string | undefined = `/users/me/collection?${query.toString()}`;
  while (next) {
    const list: SequenceList = await load(next, signal);
    const rows = list.links.filter((one): one is SequenceLink => one.rel === "child").map(row);
    onRows(rows);
    next = rows.length ? link(list.links, "next") : undefined;
    // The API's link to the next page forgets the area.
    if (next && place && !next.includes("bbox=")) next += `&bbox=${place}`;
  }
}

/** The identifiers of one's sequences whose line runs through the area. */
export async function sequencesIn(area: Box, signal: AbortSignal): Promise<Set<string>> {
  const found = new Set<string>();
  await loadRows(signal, (rows) => rows.forEach((one) => found.add(one.id)), area);
  return found;
}

/** The API answers 404 where there is nothing to list. */
async function load(address: string, signal: AbortSignal): Promise<SequenceList> {
  try {
    return await call<SequenceList>(address, { signal });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return { links: [] };
    throw error;
  }
}
