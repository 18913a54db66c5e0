import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, call, link, SignedOutError } from "../src/core/api";
import { follow, files, finished, pending } from "../src/upload/uploadset";
import type { ItemsStatus, UploadSet } from "../src/core/api";

const answer = (status: number, body: unknown): Response =>
  new Response(typeof body === "string" ? body : JSON.stringify(body), { status });

function serve(...answers: (Response | Error)[]): ReturnType<typeof vi.fn> {
  const mock = vi.fn(() => {
    const next = answers.shift();
    if (next === undefined) throw new Error("no more answers");
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
  });
  vi.stubGlobal("fetch", mock);
  return mock;
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("call", () => {
  it("asks /api of the same origin with the session and follows no redirect", async () => {
    const mock = serve(answer(200, { id: "1" }));
    expect(await call("/users/me")).toEqual({ id: "1" });
    const [address, init] = mock.mock.calls[0] as unknown as [string, RequestInit];
    expect(address).toBe("/api/users/me");
    expect(init).toMatchObject({ method: "GET", credentials: "same-origin", redirect: "manual" });
  });

  it("sends JSON", async () => {
    const mock = serve(answer(200, {}));
    await call("/upload_sets", { method: "POST", json: { title: "t" } });
    const [, init] = mock.mock.calls[0] as unknown as [string, RequestInit];
    expect(init.body).toBe('{"title":"t"}');
    expect(init.headers).toMatchObject({ "Content-Type": "application/json" });
  });

  it("takes 401 and a redirect to the login for signed out", async () => {
    const redirect = { type: "opaqueredirect", ok: false, status: 0 } as Response;
    serve(answer(401, {}), redirect);
    await expect(call("/users/me")).rejects.toBeInstanceOf(SignedOutError);
    await expect(call("/users/me")).rejects.toBeInstanceOf(SignedOutError);
  });

  it("carries the API's message", async () => {
    serve(answer(400, { message: "title is too long" }));
    await expect(call("/x")).rejects.toMatchObject({ status: 400, message: "title is too long" });
  });

  it("survives pages that are no JSON", async () => {
    serve(answer(502, "<html>"), answer(200, ""));
    await expect(call("/x")).rejects.toMatchObject({ status: 502 });
    expect(await call("/x")).toEqual({});
  });

  it("says status 0 when the server cannot be reached", async () => {
    serve(new TypeError("failed to fetch"));
    const error: unknown = await call("/x").catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).status).toBe(0);
  });
});

describe("link", () => {
  it("keeps only path and query, whatever host the API thinks it has", () => {
    expect(link([{ rel: "next", href: "http://api:5000/api/users/me/collection?page=2" }], "next")).toBe(
      "/users/me/collection?page=2",
    );
    expect(link([], "next")).toBeUndefined();
  });
});

const state = (over: Partial<UploadSet>): UploadSet => ({
  id: "s",
  title: "t",
  completed: true,
  dispatched: false,
  ready: false,
  nb_items: 2,
  ...over,
});
const items = (prepared: number, preparing: number): ItemsStatus => ({
  prepared,
  preparing,
  broken: 0,
  rejected: 0,
  not_processed: 0,
});

describe("upload set", () => {
  it("is finished when dispatched and nothing is pending, even if all pictures broke", () => {
    expect(finished(state({ items_status: items(2, 0) }))).toBe(false);
    expect(finished(state({ dispatched: true, items_status: items(1, 1) }))).toBe(false);
    expect(finished(state({ dispatched: true, items_status: items(2, 0) }))).toBe(true);
    expect(pending(state({}))).toBe(2);
  });

  it("is followed through an outage until it is ready", async () => {
    vi.useFakeTimers();
    serve(answer(200, state({})), new TypeError("down"), answer(502, ""), answer(200, state({ ready: true })));
    const seen: boolean[] = [];
    const done = follow("s", (set) => seen.push(set.ready));
    await vi.runAllTimersAsync();
    expect((await done).ready).toBe(true);
    expect(seen).toEqual([false, true]);
  });

  it("stops being followed when it was deleted", async () => {
    serve(answer(404, { message: "gone" }));
    await expect(follow("s", () => undefined)).rejects.toMatchObject({ status: 404 });
  });

  it("lists the files of all pages", async () => {
    serve(
      answer(200, { files: [{ file_name: "a" }], links: [{ rel: "next", href: "/api/upload_sets/s/files?p=2" }] }),
      answer(200, { files: [{ file_name: "b" }] }),
    );
    expect((await files("s")).map((file) => file.file_name)).toEqual(["a", "b"]);
  });
});
