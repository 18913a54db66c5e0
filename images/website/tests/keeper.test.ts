import { afterEach, describe, expect, it, vi } from "vitest";
import { Keeper } from "../src/upload/keeper";
import { newEntry, UploadQueue } from "../src/upload/queue";

const answer = (status: number, body: unknown): Response => new Response(JSON.stringify(body), { status });

describe("Keeper", () => {
  afterEach(() => void vi.unstubAllGlobals());

  it("says why the queue stopped, and goes on when the same person is back", async () => {
    const fetch = vi.fn<() => Promise<Response>>();
    vi.stubGlobal("fetch", fetch);
    const reasons: unknown[] = [];
    const queue = new UploadQueue([newEntry("a.jpg", "a.jpg", new File(["1"], "a.jpg"))], () => Promise.reject(new Error("never")), {
      onPause: (reason) => reasons.push(reason),
    });
    const keeper = new Keeper(queue, "ada", 60_000);
    queue.pause("offline");
    fetch.mockResolvedValueOnce(answer(401, {}));
    await keeper.probe();
    fetch.mockResolvedValueOnce(answer(200, { id: "otto", name: "Otto" }));
    await keeper.probe();
    fetch.mockRejectedValueOnce(new TypeError("network"));
    await keeper.probe();
    fetch.mockResolvedValueOnce(answer(200, { id: "ada", name: "Ada" }));
    await keeper.probe();
    expect(reasons).toEqual(["offline", "signed-out", "other-person", "offline", null]);
    keeper.stop();
  });

  it("leaves a pause that the person wanted alone", async () => {
    const fetch = vi.fn();
    vi.stubGlobal("fetch", fetch);
    const queue = new UploadQueue([], () => Promise.reject(new Error("never")));
    queue.pause("person");
    await new Keeper(queue, "ada").probe();
    expect(fetch).not.toHaveBeenCalled();
    expect(queue.paused).toBe("person");
  });
});
