// Certified pages: what the gateway serves, and what @dfinity/response-verification says of it.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import http from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Principal } from "@icp-sdk/core/principal";
import { gpt2ic, root, run, startNetwork } from "./network.js";

const { verifyRequestResponsePair } = createRequire(import.meta.url)("@dfinity/response-verification");
let network, canister;

before(async () => {
  network = await startNetwork();
  const wasm = join(root, "build/wasm/pages.wasm");
  const deployed = await run(network, gpt2ic, ["deploy", "pages", "--wasm", wasm, "--network", network.url]);
  canister = / as (\S+)/.exec(deployed)[1];
});
after(async () => assert.equal(await network.stop(), 0));

function get(path, host, method = "GET", body = undefined) {
  return new Promise((done, failed) => {
    const options = { host: "127.0.0.1", port: network.port, path, method, headers: { Host: host } };
    const request = http.request(options, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => done({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) }));
    });
    request.on("error", failed);
    request.end(body);
  });
}
const page = (path, ...rest) => get(path, `${canister}.localhost:${network.port}`, ...rest);

function verify(path, response, from = canister) {
  return verifyRequestResponsePair(
    { method: "GET", url: path, headers: [], body: new Uint8Array(), certificate_version: [2] },
    {
      status_code: response.status,
      headers: Object.entries(response.headers),
      body: new Uint8Array(response.body),
    },
    Principal.fromText(from).toUint8Array(),
    BigInt(Date.now()) * 1_000_000n,
    300_000_000_000n,
    new Uint8Array(network.rootKey),
    2,
  );
}

test("a served page passes the reference verifier, a changed one does not", async () => {
  const home = await page("/");
  assert.equal(home.status, 200);
  assert.equal(home.body.toString(), "/ part 0\n");
  assert.equal(verify("/", home).verificationVersion, 2);
  home.body[0] ^= 1;
  assert.throws(() => verify("/", home));
});

test("streamed and skipped pages pass it too", async () => {
  const streamed = await page("/streamed?x=1");
  assert.equal(verify("/streamed?x=1", streamed).verificationVersion, 2);
  const skipped = await page("/not/there");
  assert.equal(skipped.status, 404);
  verify("/not/there", skipped);
});

test("what does not verify is a clear error, and raw hosts show it", async () => {
  const changed = await page("/changed");
  assert.equal(changed.status, 500);
  assert.match(changed.body.toString(), /Response verification failed: .+raw\.localhost shows it unverified/);
  const raw = await get("/changed", `${canister}.raw.localhost`);
  assert.equal(raw.body.toString(), "changed");
  assert.throws(() => verify("/changed", raw));
});

test("upgrades, ?canisterId= and CORS", async () => {
  const posted = await page("/post", "POST", "hello");
  assert.equal(posted.status, 201);
  assert.equal(posted.body.toString(), "POST /post hello");
  const named = await get(`/?canisterId=${canister}`, "127.0.0.1");
  assert.equal(named.status, 200);
  assert.equal(named.headers["access-control-allow-origin"], "*");
});

test("/metrics and /health of the model's canister pass it", async () => {
  const wasm = join(root, "build/wasm/model.wasm");
  const deployed = await run(network, gpt2ic, ["deploy", "model", "--wasm", wasm, "--network", network.url]);
  const model = / as (\S+)/.exec(deployed)[1];
  const expected = { "/metrics": 200, "/health": 503, "/metrics/more": 404, "/": 404, "/%20?a=b": 404 };
  for (const [path, status] of Object.entries(expected)) {
    const response = await get(path, `${model}.localhost:${network.port}`);
    assert.equal(response.status, status, path);
    verify(path, response, model);
    assert.throws(() => verify(path, response, canister));
  }
  const metrics = (await get("/metrics", `${model}.localhost:${network.port}`)).body.toString();
  assert.match(metrics, /^gpt2ic_ready 0$/m);
  assert.match(metrics, /^gpt2ic_cycles \d+$/m);
});
