// Receipts checked by receipt.js: those of 200 random answers and 100 changed ones that
// receipt_answers_test leaves, and one of a network over HTTP. It must find what `gpt2ic verify` finds.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { failingChecks } from "./receipt.js";
import { gpt2ic, root, run, startNetwork } from "./network.js";

const folder = join(root, "build/receipts");
const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));
const now = () => BigInt(Date.now()) * 1_000_000n;

test("finds in every receipt what gpt2ic verify finds", async () => {
  if (!existsSync(join(folder, "index.json"))) execFileSync(join(root, "build/native/tests/receipt_answers_test"), { cwd: root });
  const index = readJson(join(folder, "index.json"));
  const rootKey = new Uint8Array(Buffer.from(index.root_key, "hex"));
  let sound = 0;
  for (const row of index.files) {
    const failing = await failingChecks(readJson(join(folder, row.file)), rootKey, row.module_hash, now());
    if (row.exact) assert.deepEqual(failing, row.failing, row.file);
    assert.equal(failing.length === 0, row.failing.length === 0, row.file);
    sound += failing.length === 0;
  }
  assert.equal(index.files.length, 300);
  assert.ok(sound >= 200, `${sound} receipts are sound`);
});

test("an answer over HTTP: fetched, verified by both, and not after a change", async () => {
  const network = await startNetwork("--demo");
  try {
    const net = ["--network", network.url];
    await run(network, gpt2ic, ["call", "model", "generate", '("What is the capital of France?", 20, 0.0)', ...net]);
    await run(network, gpt2ic, ["receipt", "fetch", "model", "1", "-o", "answer.json", ...net]);
    const rootKey = network.rootKey.toString("hex"), wasm = join(root, "build/wasm/model.wasm");
    const options = ["--model", join(root, "models/demo"), "--wasm", wasm, "--root-key", rootKey, "--json"];
    const verified = JSON.parse(await run(network, gpt2ic, ["verify", "answer.json", ...options]));
    assert.equal(verified.ok, true);
    assert.equal(verified.answer.output, "The capital of France is Paris.");
    assert.deepEqual(verified.checks.map((check) => check.name),
      ["receipt", "certificate", "time", "witness", "module", "input", "output", "model", "replay"]);
    const file = readJson(join(network.folder, "answer.json"));
    const module = await import("node:crypto").then(({ createHash }) => createHash("sha256").update(readFileSync(wasm)).digest("hex"));
    assert.deepEqual(await failingChecks(file, new Uint8Array(network.rootKey), module, now()), []);
    assert.deepEqual(await failingChecks(file, new Uint8Array(network.rootKey), "00", now()), ["module"]);
    await assert.rejects(run(network, gpt2ic, ["verify", "answer.json", ...options.slice(0, -3)]), (error) => {
      assert.equal(error.code, 1);  // under the root key of the Internet Computer
      assert.match(error.stdout, /certificate +FAILED +not signed for canister/);
      return true;
    });
  } finally {
    assert.equal(await network.stop(), 0);
  }
});
