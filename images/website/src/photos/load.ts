/** Reads all of one's sequences from the API, page by page. */
import { ApiError, call, link, type SequenceLink, type SequenceList } from "../core/api";
import type { Box } from "../core/extent";
import { row, type Row } from "./rows";

const PAGE_SIZE = 500;

/**
 * Calls `onRows` with each page as it comes.
 * @param box only sequences whose line runs through it
 * @throws ApiError, SignedOutError as `call` does
 */
export async function loadRows(box: Box | null, signal: AbortSignal, onRows: (rows: Row[]) => void): Promise<void> {
  const query = new URLSearchParams({ limit: String(PAGE_SIZE), sortby: "-created" });
  if (box) query.set("bbox", box.map((one) => one.toFixed(6)).join(","));
  let next: string | undefined = `/users/me/collection?${query.toString()}`;
  while (next) {
    const list: SequenceList = await load(next, signal);
    const rows = list.links.filter((one): one is SequenceLink => one.rel === "child").map(row);
    onRows(rows);
    next = rows.length ? link(list.links, "next") : undefined;
  }
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
