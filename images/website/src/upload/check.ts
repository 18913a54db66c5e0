/** Checks files before they are sent: in workers, so that neither the page nor the sending waits for it. */
import { ApiError, call } from "../core/api";
import type { Finding, Question } from "./check.worker";
import type { Entry } from "./queue";

const WORKERS = 2;
/** MD5s that are asked about in one request, and how long one waits for more. */
const BATCH = 200;
const GATHER_MS = 250;

/** Where a file stands with the checks; they are independent of any upload. */
export type Looker = (file: File) => Promise<Omit<Finding, "number">>;

/** Hands files to a few workers in turn. */
export function workers(): { look: Looker; end: () => void } {
  const waiting = new Map<number, (found: Finding) => void>();
  const queue: Question[] = [];
  let count = 0;
  const team = Array.from({ length: WORKERS }, () => new Worker(new URL("./check.worker.ts", import.meta.url), { type: "module" }));
  const idle = [...team];
  const feed = (): void => {
    while (idle.length && queue.length) {
      const [worker, question] = [idle.shift(), queue.shift()];
      if (worker && question) worker.postMessage(question);
    }
  };
  for (const worker of team) {
    worker.addEventListener("message", (event: MessageEvent<Finding>) => {
      const { number } = event.data;
      waiting.get(number)?.(event.data);
      waiting.delete(number);
      idle.push(worker);
      feed();
    });
  }
  return {
    look: (file) =>
      new Promise((resolve) => {
        count += 1;
        waiting.set(count, resolve);
        queue.push({ number: count, file });
        feed();
      }),
    end: () => team.forEach((worker) => worker.terminate()),
  };
}

/**
 * Which of these files the instance already has, in another upload than this one.
 * @param md5s at most 200
 */
export async function known(md5s: readonly string[], upload: string | null): Promise<Set<string>> {
  const answer = await call<{ known: string[] }>("/users/me/known_files", {
    method: "POST",
    json: { md5: md5s, ...(upload ? { upload_set_id: upload } : {}) },
  });
  return new Set(answer.known);
}

export type Known = typeof known;

/** Judges the entries that are "checking"; those that pass become "waiting", the others "rejected". */
export class Checker {
  readonly #seen = new Map<string, Entry>();
  #batch: Entry[] = [];
  #asking = false;

  /** @param onChange told about each entry that was judged */
  constructor(
    readonly look: Looker,
    readonly known: Known,
    readonly maxBytes: number,
    readonly onChange: (entry: Entry) => void,
    /** The upload they are for, once there is one. */
    public upload: string | null = null,
  ) {}

  /** Forgets all files: what was chosen is put back. */
  forget(): void {
    this.#seen.clear();
  }

  add(entry: Entry): void {
    if (entry.md5) this.#seen.set(entry.md5, entry);
    if (entry.state !== "checking" || !entry.file) return;
    if (entry.file.size > this.maxBytes) {
      this.#reject(entry, "too_large");
      return;
    }
    void this.look(entry.file).then((found) => this.#found(entry, found));
  }

  #found(entry: Entry, { reason, md5 }: Omit<Finding, "number">): void {
    if (entry.state !== "checking") return;
    if (reason) {
      this.#reject(entry, reason);
      return;
    }
    const twin = this.#seen.get(md5);
    if (twin && twin !== entry) {
      this.#reject(entry, "twice", twin.path);
      return;
    }
    this.#seen.set(md5, entry);
    entry.md5 = md5;
    this.#batch.push(entry);
    if (this.#asking) return;
    this.#asking = true;
    setTimeout(() => void this.#ask(), GATHER_MS);
  }

  async #ask(): Promise<void> {
    const batch = this.#batch.splice(0, BATCH);
    this.#asking = this.#batch.length > 0;
    if (this.#asking) setTimeout(() => void this.#ask(), 0);
    let there = new Set<string>();
    try {
      there = await this.known(batch.map((entry) => entry.md5 ?? ""), this.upload);
    } catch (error) {
      // The server says it again when it gets the file: this question only saves the way.
      if (!(error instanceof ApiError)) throw error;
    }
    for (const entry of batch) {
      if (there.has(entry.md5 ?? "")) {
        this.#reject(entry, "file_duplicate");
      } else if (entry.state === "checking") {
        entry.state = "waiting";
        this.onChange(entry);
      }
    }
  }

  #reject(entry: Entry, code: NonNullable<Entry["reason"]>["code"], detail?: string): void {
    entry.state = "rejected";
    entry.reason = { code, ...(detail ? { detail } : {}) };
    this.onChange(entry);
  }
}
