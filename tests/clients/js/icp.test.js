// The official command line, icp, against `gpt2ic serve`: what docs/deploy.md tells people to do.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root, run, startNetwork } from "./network.js";

const program = join(root, "tests/clients/js/node_modules/@icp-sdk/icp-cli-linux-x64/bin/icp");
let network;
const icp = (...args) => run(network, program, args, { ICP_HOME: join(network.folder, "home") });

before(async () => {
  network = await startNetwork();
  // The repository's own icp.yaml; only the port differs, and the module is built already.
  const yaml = readFileSync(join(root, "icp.yaml"), "utf8")
    .replace("http://127.0.0.1:8000", network.url)
    .replaceAll(/ +- make wasm\n/g, "")
    .replaceAll("build/wasm", join(root, "build/wasm"));
  writeFileSync(join(network.folder, "icp.yaml"), yaml);
  await icp("identity", "new", "tester", "--storage", "plaintext", "--quiet");
  await icp("identity", "default", "tester");
});
after(async () => assert.equal(await network.stop(), 0));

test("dfx.json names what the build makes", () => {
  const { canisters } = JSON.parse(readFileSync(join(root, "dfx.json"), "utf8"));
  const yaml = readFileSync(join(root, "icp.yaml"), "utf8");
  for (const [name, { wasm, candid }] of Object.entries(canisters)) {
    assert.ok(existsSync(join(root, wasm)), wasm);
    assert.ok(existsSync(join(root, candid)), candid);
    assert.match(yaml, new RegExp(`name: ${name}\n`));
  }
});

test("icp creates, installs, upgrades and looks after a canister", async () => {
  await icp("deploy");
  const page = (await icp("canister", "status", "frontend")).match(/[a-z0-9-]+-cai/)[0];
  const { headers } = await fetch(`${network.url}/?canisterId=${page}`);
  assert.match(headers.get("set-cookie"), /PUBLIC_CANISTER_ID%3Amodel%3D[a-z0-9-]+-cai/);
  const status = await icp("canister", "status", "model");
  assert.match(status, /Running/);
  const me = (await icp("identity", "principal")).trim();
  assert.ok(status.includes(me));
  assert.match(await icp("canister", "call", "model", "fibonacci", "(10 : nat32)", "--query"), /55/);
  assert.match(await icp("canister", "call", "model", "append_config_bytes", '(blob "{}")'), /\(\)/);
  await icp("canister", "call", "model", "store_config_bytes_to_stable", "()");
  await icp("deploy");
  await icp("canister", "call", "model", "load_config_bytes_from_stable", "()");
  assert.match(await icp("canister", "call", "model", "config_bytes_length", "()", "--query"), /2 : nat64/);
  await icp("canister", "settings", "update", "model", "--freezing-threshold", "100d", "-f");
  assert.match(await icp("canister", "settings", "show", "model"), /8_640_000|8640000/);
  await icp("canister", "logs", "model");
  assert.match(await icp("canister", "metadata", "model", "candid:service"), /generate_start/);
  await icp("canister", "top-up", "model", "--amount", "1t");
  await icp("canister", "stop", "model");
  assert.match(await icp("canister", "status", "model"), /Stopped/);
  await icp("canister", "start", "model");
});

test("the first seed's sequence, on gpt2_backend with a model in ONNX", async () => {
  await icp("deploy", "gpt2_backend");
  const call = (method, ...rest) => icp("canister", "call", "gpt2_backend", method, ...rest);
  const bytes = readFileSync(join(root, "tests/data/gpt2-tiny/gpt2_kv_op17.onnx"));
  writeFileSync(join(network.folder, "chunk.did"), `(blob "${bytes.toString("hex").replace(/../g, "\\$&")}")`);
  await call("append_model_bytes", "--args-file", "chunk.did");
  assert.match(await call("setup_model", "()"), /null/);
  assert.match(await call("model_inference", "(3 : nat8, vec { 1 : int64; 2 : int64; 3 : int64 })"), /Ok = vec/);
});

test("the second seed's sequence of calls, with chunks of 2,000,000 bytes", async () => {
  const call = (method, ...rest) => icp("canister", "call", "model", method, ...rest);
  const upload = async (kind, file) => {
    await call(`clear_${kind}_bytes`, "()");
    const bytes = readFileSync(join(root, "models/demo", file));
    for (let at = 0; at < bytes.length; at += 2_000_000) {
      const hex = bytes.subarray(at, at + 2_000_000).toString("hex").replace(/../g, "\\$&");
      writeFileSync(join(network.folder, "chunk.did"), `(blob "${hex}")`);
      await call(`append_${kind}_bytes`, "--args-file", "chunk.did");
    }
    await call(`store_${kind}_bytes_to_stable`, "()");
    await call(`load_${kind}_bytes_from_stable`, "()");
  };
  await upload("config", "config.json");
  await upload("safetensors", "model.safetensors");
  await upload("tokenizer", "tokenizer.json");
  assert.match(await call("setup_tokenizer", "()"), /null/);
  assert.match(await call("setup_model", "()"), /Ok/);
  assert.match(await call("generate", '("What is the capital of France?", 20 : nat8, 0.0 : float64)'), /Paris/);
});
