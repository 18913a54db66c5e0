import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

/** The proxy shows this page when the website is what does not answer, so it has a copy. */
const COPY = "../../roles/proxy/files/unavailable.html";

it("is also what the proxy has (else: node tools/errors.mjs dist && cp dist/errors/503.html " + COPY + ")", () => {
  const made = mkdtempSync(join(tmpdir(), "errors-"));
  try {
    execFileSync("node", [join(import.meta.dirname, "../tools/errors.mjs"), made]);
    const copy = readFileSync(join(import.meta.dirname, "..", COPY), "utf8");
    expect(copy).toBe(readFileSync(join(made, "errors/503.html"), "utf8"));
  } finally {
    rmSync(made, { recursive: true });
  }
});
