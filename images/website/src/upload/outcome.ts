/** What came of sending one file, read from the API's answer. */
import type { ErrorBody } from "../core/api";

/** Why a file is not part of the upload; each has a text `reason.CODE` in every language. */
export const REASONS = [
  "not_jpeg",
  "no_location",
  "no_date",
  "no_location_no_date",
  "capture_duplicate",
  "file_duplicate",
  "twice",
  "same_name",
  "invalid_file",
  "in_excluded_area",
  "too_large",
  "upload_gone",
  "forbidden",
  "unreadable",
  "left_out",
  "network",
  "other_error",
] as const;
export type ReasonCode = (typeof REASONS)[number];

export interface Reason {
  code: ReasonCode;
  /** The API's own sentence, shown beside reasons that say little. */
  detail?: string;
}

export type Outcome = { kind: "accepted"; pictureId: string | null } | { kind: "rejected"; reason: Reason };

/** The body of the API's answer to a file, whatever the status. */
export type AnswerBody = ErrorBody & {
  picture_id?: string;
  /** Pictures with the same content in other uploads. */
  upload_sets?: { existing_item_id?: string }[];
  /** The picture with the same content in this upload. */
  existing_item?: { id: string };
};

/** The connection or the server failed; sending the same file again may work. */
export class RetryError extends Error {
  /** @param after milliseconds that the server asks to wait */
  constructor(
    message: string,
    readonly after = 0,
  ) {
    super(message);
  }
}

function missing(fields: readonly string[]): ReasonCode {
  const location = fields.some((field) => /location|lat|lon|gps/i.test(field));
  const date = fields.some((field) => /date|time/i.test(field));
  if (location && date) return "no_location_no_date";
  if (location) return "no_location";
  return date ? "no_date" : "invalid_file";
}

/**
 * Maps the names that the API gives to rejections (panoramax-api facts: `rejected.reason`, and `details.missing_fields`).
 */
export function reasonFrom(code: string, body: ErrorBody = {}): Reason {
  const detail = body.details?.error ?? body.message;
  const extra = detail ? { detail } : {};
  const fields = body.details?.missing_fields ?? [];
  if (code === "invalid_metadata") return { code: missing(fields), ...extra };
  const known = REASONS.find((one) => one === code);
  return { code: known ?? "other_error", ...extra };
}

/**
 * Reads the answer to one file.
 * @param attempt number of this attempt, from 1. When an earlier attempt's answer was lost, the API may already have the
 *   file: its "already added to this upload" then means accepted.
 * @param retryAfter the answer's header Retry-After, in seconds
 * @throws RetryError on 408, 429 and 5xx
 */
export function outcomeOf(status: number, body: AnswerBody, attempt: number, retryAfter: string | null = null): Outcome {
  if (status >= 200 && status < 300) return { kind: "accepted", pictureId: body.picture_id ?? null };
  if (status === 408 || status === 429 || status >= 500) throw new RetryError(`status ${status}`, 1000 * (Number(retryAfter) || 0));
  return status === 409 ? conflict(body, attempt) : { kind: "rejected", reason: refusal(status, body) };
}

function conflict(body: AnswerBody, attempt: number): Outcome {
  // The API names only uploads of one's own: where the picture is in somebody else's, the list is empty.
  if (body.upload_sets) return { kind: "rejected", reason: { code: "file_duplicate" } };
  const existing = body.existing_item?.id;
  if (existing === undefined) return { kind: "rejected", reason: reasonFrom("same_name", body) };
  if (attempt > 1) return { kind: "accepted", pictureId: existing };
  return { kind: "rejected", reason: { code: "twice" } };
}

function refusal(status: number, body: ErrorBody): Reason {
  if (status === 413) return { code: "too_large" };
  if (status === 404) return { code: "upload_gone" };
  if (status === 403) return { code: "forbidden" };
  if (body.details?.missing_fields?.length) return reasonFrom("invalid_metadata", body);
  return reasonFrom(status === 400 ? "invalid_file" : "other_error", body);
}
