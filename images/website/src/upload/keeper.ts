/** Keeps a queue going: finds out why it stopped, and goes on by itself as soon as that is possible. */
import { call, SignedOutError, type Me } from "../core/api";
import type { PauseReason, UploadQueue } from "./queue";

const ASK_MS = 5000;

export class Keeper {
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #now = (): void => void this.probe();

  constructor(
    readonly queue: UploadQueue,
    /** Whose upload it is: somebody else who signs in meanwhile must not go on with it. */
    readonly user: string,
    readonly askMs = ASK_MS,
  ) {}

  /** To be told each time the queue pauses or goes on. */
  paused(reason: PauseReason | null): void {
    this.stop();
    if (reason === null || reason === "person") return;
    this.#timer = setInterval(this.#now, this.askMs);
    for (const event of ["online", "focus"]) window.addEventListener(event, this.#now);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const event of ["online", "focus"]) window.removeEventListener(event, this.#now);
  }

  /** Asks the server who is signed in; goes on, or says why not. */
  async probe(): Promise<void> {
    const { queue } = this;
    if (!queue.paused || queue.paused === "person") return;
    try {
      const me = await call<Me>("/users/me");
      if (me.id === this.user) queue.resume();
      else queue.explain("other-person");
    } catch (error) {
      queue.explain(error instanceof SignedOutError ? "signed-out" : "offline");
    }
  }
}

/** Asks the device not to fall asleep; whatever it says, the upload goes on as far as it gets. */
export function stayAwake(): () => void {
  let lock: WakeLockSentinel | null = null;
  const ask = (): void => {
    if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    navigator.wakeLock.request("screen").then((one) => (lock = one), () => undefined);
  };
  // The browser lets go whenever the page is out of sight.
  document.addEventListener("visibilitychange", ask);
  ask();
  return () => {
    document.removeEventListener("visibilitychange", ask);
    void lock?.release();
  };
}
