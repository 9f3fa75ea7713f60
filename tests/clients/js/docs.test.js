// The JavaScript of docs/clients.md, as it stands there.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { root, startNetwork } from "./network.js";

test("docs/clients.md, JavaScript", async () => {
  const text = readFileSync(join(root, "docs/clients.md"), "utf8");
  const [, code] = /```js\n([^]*?)```/.exec(text);
  const network = await startNetwork("--demo");
  const ran = spawnSync("node", ["--input-type=module", "-"], {
    input: code,
    cwd: dirname(fileURLToPath(import.meta.url)),
    env: { ...process.env, NETWORK: network.url, CANISTER: network.canister },
    encoding: "utf8",
  });
  assert.equal(await network.stop(), 0);
  assert.match(ran.stdout, /Paris/, ran.stderr);
});

test("docs/clients.md, Rust: the text is the tested program's", () => {
  const text = readFileSync(join(root, "docs/clients.md"), "utf8");
  const [, code] = /```rust\n([^]*?)```/.exec(text);
  assert.ok(readFileSync(join(root, "tests/clients/rust/src/main.rs"), "utf8").includes(code.trim()));
});
