/** Sends one file by XMLHttpRequest, the only way in a browser to learn how much has been sent. */
import { parse, SignedOutError } from "../core/api";
import { language } from "../core/i18n";
import { outcomeOf, RetryError, type AnswerBody, type Outcome } from "./outcome";
import type { Entry } from "./queue";

/**
 * @param onProgress told the number of bytes of the file sent so far
 * @throws RetryError when the connection broke or the server failed, SignedOutError without a session,
 *   the signal's reason when aborted
 */
export function sendFile(
  uploadSet: string,
  entry: Entry,
  onProgress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    if (!entry.file) throw new Error("the file is not at hand");
    const request = new XMLHttpRequest();
    const abort = (): void => request.abort();
    request.open("POST", `/api/upload_sets/${uploadSet}/files`);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Accept-Language", language());
    request.upload.addEventListener("progress", (event) => onProgress(Math.min(event.loaded, entry.size)));
    request.addEventListener("error", () => reject(new RetryError("connection lost")));
    request.addEventListener("timeout", () => reject(new RetryError("timeout")));
    request.addEventListener("abort", () => reject(new DOMException("paused", "AbortError")));
    request.addEventListener("loadend", () => signal.removeEventListener("abort", abort));
    request.addEventListener("load", () => {
      if (request.status === 401) {
        reject(new SignedOutError());
        return;
      }
      const body = parse(request.responseText) as AnswerBody;
      const retryAfter = request.getResponseHeader("Retry-After");
      // In a promise of its own, so that what outcomeOf throws becomes this promise's failure.
      resolve(Promise.resolve().then(() => outcomeOf(request.status, body, entry.attempts, retryAfter)));
    });
    signal.addEventListener("abort", abort, { once: true });
    // A connection that stands still for good must not hold a slot for ever: 60 MB at 100 kB/s take ten minutes.
    request.timeout = 15 * 60 * 1000;
    const form = new FormData();
    form.append("file", entry.file, entry.name);
    request.send(form);
  });
}
