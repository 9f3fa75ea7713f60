// For tests of the page: a network, Debian's Chromium, and a watch on everything that a page must not
// do.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { gpt2ic, root, run, startNetwork } from "../../tests/clients/js/network.js";

export { gpt2ic, root, run };
export const artefacts = join(root, "build/page-test");
mkdirSync(artefacts, { recursive: true });

export async function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP *.localhost 127.0.0.1",
    ],
  });
}

// `gpt2ic serve --demo` and what its owner, who is anonymous there, does to it.
export async function startDemo(...options) {
  const network = await startNetwork("--demo", ...options);
  const call = (canister, method, argument) =>
    run(network, gpt2ic, ["call", canister, method, argument, "--network", network.url]);
  return {
    ...network,
    host: new URL(network.page).host,
    gpt2ic: (...args) => run(network, gpt2ic, [...args, "--network", network.url]),
    call: (method, argument) => call("model", method, argument),
    setPolicy: (changes = {}) => {
      const policy = {
        open_to: '"authenticated"', tokens_per_caller_per_day: "null", tokens_per_day: "null", cycles_per_token: "null",
        max_queue: "64 : nat32", max_jobs_per_caller: "4 : nat32", max_prompt_bytes: "65536 : nat32",
        instructions_per_message: "null", ...changes,
      };
      const fields = Object.entries(policy).map(([name, value]) => `${name} = ${value}`);
      return call("model", "set_policy", `(record { ${fields.join("; ")} })`);
    },
  };
}

// A visitor with a browser of their own. `complaints` is what must stay empty: console errors, broken
// scripts, requests to other hosts.
export async function visit(browser, network, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce", ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: new URL(network.page).origin });
  const complaints = [];
  const watched = () => watch(context, network, complaints);
  const visitor = new Visitor(await watched(), context, complaints);
  visitor.another = async () => {
    const other = new Visitor(await watched(), context, complaints);
    await other.open(network.page);
    return other;
  };
  if (options.go !== false) await visitor.open(network.page);
  return visitor;
}

async function watch(context, network, complaints) {
  const page = await context.newPage();
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`script: ${error.message}`));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (!["data:", "blob:"].includes(url.protocol) && url.host !== network.host) complaints.push(`request to ${url.host}`);
  });
  return page;
}

class Visitor {
  constructor(page, context, complaints) {
    Object.assign(this, { page, context, complaints });
  }

  async open(url) {
    await this.page.goto(url);
    await this.page.waitForSelector('#pill[data-state="ready"]', { timeout: 10_000 });
  }

  async ask(question) {
    await this.page.fill("#prompt", question);
    await this.page.click("#generate");
  }

  get lastAnswer() {
    return this.page.locator(".turn").last().locator(".answer-text");
  }

  // Until nothing is under way; gives the last answer's text.
  async answered() {
    await this.page.waitForSelector(".turn:last-child:not(.working)", { timeout: 20_000 });
    return this.lastAnswer.textContent();
  }

  // The failure shown for the last question: {title, sentence, todo}.
  async failure() {
    const box = this.page.locator(".turn").last().locator(".failure");
    await box.locator("strong").waitFor({ timeout: 10_000 });
    return {
      title: await box.locator("strong").textContent(),
      sentence: await box.locator(".sentence").textContent(),
      todo: (await box.locator("p").allTextContents()).at(-1),
    };
  }

  async setRange(id, value) {
    await this.page.locator(`#${id}`).fill(String(value));
  }

  screenshot(name) {
    return this.page.screenshot({ path: join(artefacts, `${name}.png`) });
  }

  async leave() {
    assert.deepEqual(this.complaints, []);
    await this.context.close();
  }
}
