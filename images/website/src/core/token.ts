/**
 * Until when a token works. The API knows no end of a token; the database's guard gives each one, by default a year. It
 * reads an earlier one from the end of the description, so that whoever lists tokens sees it as well.
 */
import type { Token } from "./api";

/** The longest that a token works (the guard holds to it), and what is proposed. */
export const MOST_DAYS = 365;
export const USUAL_DAYS = 90;

const END = / \(until (\d{4}-\d{2}-\d{2})\)$/;
const DAY_MS = 86_400_000;

/** The day so many days from now, yyyy-mm-dd. */
export function dayIn(days: number, now = Date.now()): string {
  return new Date(now + days * DAY_MS).toISOString().slice(0, 10);
}

/** The description that makes a token end with that day (UTC). */
export function describe(name: string, day: string): string {
  return day ? `${name} (until ${day})` : name;
}

export function tokenName(token: Token): string {
  return (token.description ?? "").replace(END, "").trim();
}

/** The last day on which it works, as yyyy-mm-dd. */
export function tokenEnd(token: Token): string {
  return END.exec(token.description ?? "")?.[1] ?? dayIn(MOST_DAYS, Date.parse(token.generated_at));
}
