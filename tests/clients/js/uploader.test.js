// The crate ic-file-uploader, unmodified: it runs dfx, and finds tests/clients/dfx instead.
import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gpt2ic, root, run, startNetwork } from "./network.js";

const cache = process.env.GPT2IC_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(process.env.HOME, ".cache"), "gpt2ic");
const uploader = join(cache, "clients/bin/ic-file-uploader");
let network;
before(async () => {
  assert.ok(existsSync(uploader), "tools/setup installs it");
  network = await startNetwork("--demo");
});
after(async () => assert.equal(await network.stop(), 0));

test("ic-file-uploader uploads a file", async () => {
  const file = join(root, "models/demo/model.safetensors");
  await run(network, uploader, [network.canister, "append_safetensors_bytes", file, "--network", network.url], {
    GPT2IC: gpt2ic,
    PATH: `${join(root, "tests/clients")}:${process.env.PATH}`,
  });
  const args = ["call", network.canister, "safetensors_bytes_length", "--network", network.url];
  const length = await run(network, gpt2ic, args);
  assert.equal(Number(/[\d_]+/.exec(length)[0].replaceAll("_", "")), statSync(file).size);
});
