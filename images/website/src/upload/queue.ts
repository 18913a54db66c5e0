/** Sends many files, a few at a time, tries again after failures, and can be paused. Knows nothing of the page. */
import { SignedOutError } from "../core/api";
import { RetryError, type Outcome, type Reason } from "./outcome";

export type State = "checking" | "waiting" | "sending" | "accepted" | "rejected";

/** One file of an upload. `name` identifies it within the upload set. */
export interface Entry {
  /** Settled when the upload begins, as it depends on the other files. */
  name: string;
  readonly path: string;
  readonly size: number;
  /** When the file was last changed, in milliseconds since 1970. */
  readonly modified: number;
  /** Null after a reload, until the file is at hand again. */
  file: File | null;
  /** Known once the file was checked. */
  md5: string | null;
  state: State;
  /** Bytes sent so far. */
  sent: number;
  attempts: number;
  pictureId: string | null;
  reason: Reason | null;
}

export function newEntry(path: string, name: string, file: File): Entry {
  const { size, lastModified: modified } = file;
  return { path, name, size, modified, file, md5: null, state: "waiting", sent: 0, attempts: 0, pictureId: null, reason: null };
}

export type Send = (entry: Entry, onProgress: (bytes: number) => void, signal: AbortSignal) => Promise<Outcome>;

/** Whether nothing will happen to an entry any more. */
export function settled(entry: Entry): boolean {
  return entry.state === "accepted" || entry.state === "rejected";
}

/** `other-person`: somebody else has signed in meanwhile. */
export type PauseReason = "person" | "signed-out" | "offline" | "other-person";

export interface Totals {
  files: number;
  done: number;
  accepted: number;
  rejected: number;
  bytes: number;
  sentBytes: number;
}

interface Options {
  /** Files sent at the same time. */
  slots?: number;
  /** Tries per file before the queue pauses itself, because the server seems to be away. */
  tries?: number;
  /** Milliseconds to wait before try number `attempt + 1`. */
  wait?: (attempt: number) => number;
  onChange?: (entry: Entry) => void;
  onPause?: (reason: PauseReason | null) => void;
}

const backOff = (attempt: number): number => Math.min(30_000, 1000 * 2 ** (attempt - 1));

export class UploadQueue {
  paused: PauseReason | null = null;
  readonly #options: Required<Options>;
  #abort = new AbortController();
  #wake: (() => void)[] = [];

  /** Entries that are "checking" are waited for; somebody else turns them into "waiting" or "rejected". */
  constructor(
    readonly entries: readonly Entry[],
    readonly send: Send,
    options: Options = {},
  ) {
    this.#options = {
      slots: 4,
      tries: 6,
      wait: backOff,
      onChange: () => undefined,
      onPause: () => undefined,
      ...options,
    };
  }

  /** Works until every entry is accepted or rejected; a pause only delays that. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.#options.slots }, () => this.#slot()));
  }

  /** Stops at once; files under way go back to the queue and will be sent from their start. */
  pause(reason: PauseReason = "person"): void {
    if (this.paused) return;
    this.paused = reason;
    this.#abort.abort();
    this.#options.onPause(reason);
  }

  /** Another reason for a pause that goes on. */
  explain(reason: PauseReason): void {
    if (!this.paused || this.paused === reason) return;
    this.paused = reason;
    this.#options.onPause(reason);
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = null;
    this.#abort = new AbortController();
    this.#options.onPause(null);
    for (const wake of this.#wake.splice(0)) wake();
  }

  totals(): Totals {
    const sum: Totals = { files: this.entries.length, done: 0, accepted: 0, rejected: 0, bytes: 0, sentBytes: 0 };
    for (const entry of this.entries) {
      sum.bytes += entry.size;
      sum.sentBytes += settled(entry) ? entry.size : entry.sent;
      if (settled(entry)) sum.done += 1;
      if (entry.state === "accepted") sum.accepted += 1;
      if (entry.state === "rejected") sum.rejected += 1;
    }
    return sum;
  }

  async #slot(): Promise<void> {
    for (;;) {
      if (this.paused) await new Promise<void>((resolve) => this.#wake.push(resolve));
      const entry = this.entries.find((one) => one.state === "waiting");
      if (entry) {
        await this.#deliver(entry);
        continue;
      }
      // Another slot's file may still fall back to "waiting" when a pause interrupts it.
      if (this.entries.every(settled)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #deliver(entry: Entry): Promise<void> {
    let failures = 0;
    this.#set(entry, "sending");
    while (entry.state === "sending") {
      const { signal } = this.#abort;
      entry.attempts += 1;
      try {
        this.#settle(entry, await this.send(entry, (bytes) => this.#progress(entry, bytes), signal));
      } catch (error) {
        failures += 1;
        await this.#failed(entry, error, failures, signal);
      }
    }
  }

  #settle(entry: Entry, outcome: Outcome): void {
    if (outcome.kind === "accepted") entry.pictureId = outcome.pictureId;
    else entry.reason = outcome.reason;
    this.#set(entry, outcome.kind);
  }

  async #failed(entry: Entry, error: unknown, failures: number, signal: AbortSignal): Promise<void> {
    entry.sent = 0;
    if (signal.aborted) {
      this.#set(entry, "waiting");
    } else if (error instanceof SignedOutError) {
      this.#set(entry, "waiting");
      this.pause("signed-out");
    } else if (!(error instanceof RetryError)) {
      // Nothing else is known to be thrown: for example a file that was deleted from the disk meanwhile.
      entry.reason = { code: "other_error", detail: error instanceof Error ? error.message : String(error) };
      this.#set(entry, "rejected");
    } else if (failures >= this.#options.tries) {
      this.#set(entry, "waiting");
      this.pause("offline");
    } else {
      this.#options.onChange(entry);
      await this.#rest(entry, Math.max(error.after, this.#options.wait(failures)), signal);
    }
  }

  /** Waits before the next try; a pause meanwhile ends the wait and gives the file back. */
  #rest(entry: Entry, milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const interrupted = (): void => {
        clearTimeout(timer);
        this.#set(entry, "waiting");
        resolve();
      };
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", interrupted);
        resolve();
      }, milliseconds);
      signal.addEventListener("abort", interrupted, { once: true });
    });
  }

  #progress(entry: Entry, bytes: number): void {
    entry.sent = bytes;
    this.#options.onChange(entry);
  }

  #set(entry: Entry, state: State): void {
    entry.state = state;
    this.#options.onChange(entry);
  }
}
