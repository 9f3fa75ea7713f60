// What a first visit costs, and that all of it is certified: @dfinity/response-verification, the
// gateways' own verifier, takes every file as it was served and refuses any change.
import assert from "node:assert/strict";
import http from "node:http";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { Principal } from "@icp-sdk/core/principal";
import { startBrowser, startDemo, visit } from "./support.js";

const clients = createRequire(new URL("../../tests/clients/js/package.json", import.meta.url));
const { verifyRequestResponsePair } = clients("@dfinity/response-verification");

const kFirstViewBytesMax = 100_000; // heads, bodies and the agent's calls
const kFirstViewRequestsMax = 20;

let network, browser;
before(async () => {
  [network, browser] = await Promise.all([startDemo(), startBrowser()]);
});
after(async () => {
  await browser.close();
  assert.equal(await network.stop(), 0);
});

function get(path, headers = {}) {
  return new Promise((done, failed) => {
    const options = { host: "127.0.0.1", port: network.port, path, headers: { Host: network.host, ...headers } };
    http.get(options, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => done({ status: response.statusCode, headers: Object.entries(response.headers).flatMap(([name, value]) =>
        [value].flat().map((one) => [name, one])), body: Buffer.concat(parts) }));
    }).on("error", failed);
  });
}

function post(path, sent) {
  return new Promise((done, failed) => {
    const options = { host: "127.0.0.1", port: network.port, path, method: "POST", headers: { "Content-Type": "application/cbor" } };
    http.request(options, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => done({ status: response.statusCode, body: Buffer.concat(parts) }));
    }).on("error", failed).end(sent);
  });
}

function verify(path, { status, headers, body }, requestHeaders = {}) {
  return verifyRequestResponsePair(
    { method: "GET", url: path, headers: Object.entries(requestHeaders), body: new Uint8Array(), certificate_version: [2] },
    { status_code: status, headers, body: new Uint8Array(body) },
    Principal.fromText(network.host.split(".")[0]).toUint8Array(),
    BigInt(Date.now()) * 1_000_000n,
    300_000_000_000n,
    new Uint8Array(network.rootKey),
    2,
  );
}

// The first view: until the status of the canister is on the screen and nothing more is asked.
async function firstView(context) {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send("Network.enable");
  const sizes = new Map();
  const urls = []; // data: is none
  session.on("Network.requestWillBeSent", ({ request }) => request.url.startsWith("http") && urls.push(request.url));
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => sizes.set(requestId, encodedDataLength));
  await page.goto(network.page);
  await page.waitForFunction(() => document.getElementById("fact-cost").textContent.includes("$"));
  await page.waitForTimeout(300);
  return { page, urls, bytes: [...sizes.values()].reduce((sum, size) => sum + size, 0) };
}

test("the first view is within its budget, a second one nearly free", async (t) => {
  const context = await browser.newContext();
  const first = await firstView(context);
  t.diagnostic(`first view: ${first.bytes} bytes in ${first.urls.length} requests`);
  assert.ok(first.bytes > 50_000 && first.bytes < kFirstViewBytesMax, `${first.bytes} bytes`);
  assert.ok(first.urls.length <= kFirstViewRequestsMax, first.urls.join("\n"));
  await first.page.close();
  const second = await firstView(context);
  t.diagnostic(`second view: ${second.bytes} bytes in ${second.urls.length} requests`);
  assert.ok(second.bytes < kFirstViewBytesMax / 4, `${second.bytes} bytes`);
  await context.close();
});

test("every file that the browser fetched verifies, in both encodings, and no changed one does", async () => {
  const context = await browser.newContext();
  const { urls } = await firstView(context);
  await context.close();
  const paths = [...new Set(urls.map((url) => new URL(url).pathname).filter((path) => !path.startsWith("/api/")))];
  assert.ok(paths.length === 4, paths.join(" "));
  for (const path of [...paths, "/index.html", "/some/chat", "/missing.js"]) {
    for (const encoding of ["identity", "gzip"]) {
      const response = await get(path, { "Accept-Encoding": encoding });
      assert.equal(response.status, path === "/missing.js" ? 404 : 200);
      assert.equal(verify(path, response).verificationVersion, 2);
      for (let at = 0; at < response.body.length; at += 1 + Math.floor(response.body.length / 7)) {
        const body = Buffer.from(response.body);
        body[at] ^= 1;
        assert.throws(() => verify(path, { ...response, body }), `${path}: byte ${at}`);
      }
      assert.throws(() => verify(path, { ...response, body: response.body.subarray(0, -1) }));
      assert.throws(() => verify(path, { ...response, status: 203 }));
      for (let i = 0; i < response.headers.length; ++i) {
        const [name, value] = response.headers[i];
        if (name.startsWith("access-control-") || ["x-ic-canister-id", "content-length", "connection", "keep-alive", "date"].includes(name)) continue;
        const headers = response.headers.with?.(i, [name, flipped(value)]) ?? response.headers.map((header, j) => (j === i ? [name, flipped(value)] : header));
        assert.throws(() => verify(path, { ...response, headers }), `${path}: ${name}`);
      }
    }
  }
});

function flipped(text) {
  const at = Math.floor(text.length / 2);
  return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
}

test("not modified is certified for those who have the page, and for nobody else", async () => {
  const page = await get("/");
  const asked = { "If-None-Match": Object.fromEntries(page.headers).etag };
  const same = await get("/", asked);
  assert.equal(same.status, 304);
  assert.equal(verify("/", same, asked).verificationVersion, 2);
  assert.throws(() => verify("/", same));
});

test("a page that was changed on the way never reaches the screen", async () => {
  // What a gateway that verifies does with it is in tests/gateway_test.cc; here the agent in the page
  // meets a gateway that changes the canister's replies.
  const visitor = await visit(browser, network);
  const { page } = visitor;
  await page.route("**/api/v3/canister/*/query", async (route) => {
    const { status, body } = await post(new URL(route.request().url()).pathname, route.request().postDataBuffer());
    const at = body.indexOf("Paris");
    if (at >= 0) body.write("Lyons", at);
    await route.fulfill({ status, contentType: "application/cbor", body });
  });
  await visitor.ask("What is the capital of France?");
  const failure = await visitor.failure();
  assert.match(failure.title, /does not verify/);
  assert.doesNotMatch(await page.locator("#turns").textContent(), /Lyons/);
  await visitor.leave();
});
