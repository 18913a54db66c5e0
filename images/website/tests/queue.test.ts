import { describe, expect, it, vi } from "vitest";
import { SignedOutError } from "../src/core/api";
import { RetryError, type Outcome } from "../src/upload/outcome";
import { newEntry, UploadQueue, type Entry, type Send } from "../src/upload/queue";

const entries = (count: number): Entry[] =>
  Array.from({ length: count }, (_one, index) => newEntry(`f${index}.jpg`, `f${index}.jpg`, new File(["12345"], `f${index}.jpg`)));
const accepted: Outcome = { kind: "accepted", pictureId: "p" };
const tick = (milliseconds = 0): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
const noWait = { wait: () => 0 };

/** A server that answers when told to, and knows how many requests it has at once. */
function gate(): { send: Send; open: () => void; atOnce: () => number; most: () => number } {
  const waiting: (() => void)[] = [];
  let now = 0;
  let most = 0;
  const send: Send = (_entry, _progress, signal) => {
    now += 1;
    most = Math.max(most, now);
    return new Promise<Outcome>((resolve, reject) => {
      waiting.push(() => resolve(accepted));
      signal.addEventListener("abort", () => reject(new DOMException("paused", "AbortError")));
    }).finally(() => (now -= 1));
  };
  return { send, open: () => waiting.splice(0).forEach((go) => go()), atOnce: () => now, most: () => most };
}

describe("UploadQueue", () => {
  it("sends every file exactly once", async () => {
    const send = vi.fn<Send>(() => Promise.resolve(accepted));
    const all = entries(25);
    const queue = new UploadQueue(all, send, { slots: 4 });
    await queue.run();
    expect(send).toHaveBeenCalledTimes(25);
    expect(queue.totals()).toEqual({ files: 25, done: 25, accepted: 25, rejected: 0, bytes: 125, sentBytes: 125 });
  });

  it("sends no more at once than it has slots", async () => {
    const server = gate();
    const queue = new UploadQueue(entries(9), server.send, { slots: 3 });
    const done = queue.run();
    for (let round = 0; round < 3; round += 1) {
      await tick();
      expect(server.atOnce()).toBe(3);
      server.open();
    }
    await done;
    expect(server.most()).toBe(3);
  });

  it("tries again after the connection or the server failed", async () => {
    let calls = 0;
    const send: Send = () => (calls++ < 2 ? Promise.reject(new RetryError("502")) : Promise.resolve(accepted));
    const [entry] = entries(1) as [Entry];
    await new UploadQueue([entry], send, noWait).run();
    expect(entry.state).toBe("accepted");
    expect(entry.attempts).toBe(3);
  });

  it("does not try again what the server refused", async () => {
    const send = vi.fn<Send>(() => Promise.resolve({ kind: "rejected", reason: { code: "no_location" } }));
    const [entry] = entries(1) as [Entry];
    await new UploadQueue([entry], send, noWait).run();
    expect(send).toHaveBeenCalledTimes(1);
    expect(entry.reason?.code).toBe("no_location");
  });

  it("pauses when the server stays away, and goes on when told", async () => {
    let up = false;
    const send: Send = () => (up ? Promise.resolve(accepted) : Promise.reject(new RetryError("away")));
    const reasons: (string | null)[] = [];
    const queue = new UploadQueue(entries(3), send, { ...noWait, slots: 2, tries: 3, onPause: (reason) => reasons.push(reason) });
    const done = queue.run();
    await vi.waitFor(() => expect(queue.paused).toBe("offline"));
    up = true;
    queue.resume();
    await done;
    expect(reasons).toEqual(["offline", null]);
    expect(queue.totals().accepted).toBe(3);
  });

  it("pauses at the end of the session without losing a file", async () => {
    let signedIn = false;
    const send: Send = () => (signedIn ? Promise.resolve(accepted) : Promise.reject(new SignedOutError()));
    const queue = new UploadQueue(entries(4), send, noWait);
    const done = queue.run();
    await vi.waitFor(() => expect(queue.paused).toBe("signed-out"));
    signedIn = true;
    queue.resume();
    await done;
    expect(queue.totals().accepted).toBe(4);
  });

  it("gives files under way back to the queue when paused", async () => {
    const server = gate();
    const all = entries(3);
    const queue = new UploadQueue(all, server.send, { slots: 2 });
    const done = queue.run();
    await tick();
    queue.pause();
    await tick();
    expect(all.map((entry) => entry.state)).toEqual(["waiting", "waiting", "waiting"]);
    expect(server.atOnce()).toBe(0);
    queue.resume();
    const opener = setInterval(server.open, 1);
    await done;
    clearInterval(opener);
    expect(queue.totals().accepted).toBe(3);
  });

  it("is interrupted by a pause while it waits to try again", async () => {
    const [entry] = entries(1) as [Entry];
    let up = false;
    const send: Send = () => (up ? Promise.resolve(accepted) : Promise.reject(new RetryError("away")));
    const queue = new UploadQueue([entry], send, { wait: () => 60_000 });
    const done = queue.run();
    await tick(5);
    queue.pause();
    await tick();
    expect(entry.state).toBe("waiting");
    up = true;
    queue.resume();
    await done;
    expect(entry.state).toBe("accepted");
  });

  it("rejects a file that cannot be read any more, and goes on with the others", async () => {
    const send: Send = (entry) => (entry.name === "f0.jpg" ? Promise.reject(new Error("gone")) : Promise.resolve(accepted));
    const all = entries(2);
    await new UploadQueue(all, send, noWait).run();
    expect(all.map((entry) => entry.state)).toEqual(["rejected", "accepted"]);
    expect(all[0]?.reason).toEqual({ code: "other_error", detail: "gone" });
  });

  it("counts the bytes of files under way", async () => {
    const server = gate();
    const send: Send = (entry, progress, signal) => {
      progress(2);
      return server.send(entry, progress, signal);
    };
    const queue = new UploadQueue(entries(2), send, { slots: 1 });
    const done = queue.run();
    await tick();
    expect(queue.totals().sentBytes).toBe(2);
    const opener = setInterval(server.open, 1);
    await done;
    clearInterval(opener);
  });

  it("ends at once without files", async () => {
    await new UploadQueue([], () => Promise.resolve(accepted)).run();
  });
});
