// The Rust agent (tests/clients/rust), with keys that gpt2ic makes.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gpt2ic, run, startNetwork } from "./network.js";

const cache = process.env.GPT2IC_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(process.env.HOME, ".cache"), "gpt2ic");
const program = join(cache, "clients/target/release/gpt2ic-client-tests");
let network;
before(async () => (network = await startNetwork("--demo")));
after(async () => assert.equal(await network.stop(), 0));

test("ic-agent queries, calls and reads certified state as every kind of key", async () => {
  assert.ok(existsSync(program), "tools/test builds it");
  const keys = ["ed25519", "secp256k1", "p256"];
  for (const scheme of keys) await run(network, gpt2ic, ["identity", "--new", `${scheme}.pem`, "--scheme", scheme]);
  const args = [network.url, network.canister, ...keys.map((scheme) => `${scheme}.pem`)];
  assert.match(await run(network, program, args), /Paris/);
});
