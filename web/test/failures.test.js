// Long answers and failures, all of them real: a model that takes seconds, an owner who changes the
// policy, a canister that is stopped, a network that goes away.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gpt2ic, root, run, startBrowser, startDemo, visit } from "./support.js";

let network, browser;
before(async () => {
  [network, browser] = await Promise.all([startDemo(), startBrowser()]);
  const tokenizer = join(root, "models/demo/tokenizer.json");
  await run(network, gpt2ic, ["make-model", "--shape", "mini", "--tokenizer", tokenizer, "--seed", "7", "-o", "mini"]);
  await run(network, gpt2ic, ["pack", "mini", "-o", "mini.packed"]);
  await network.gpt2ic("upload", "model", "upload_chunk", "mini.packed", "--kind", "packed");
  await network.setPolicy(kSlowly);
});
after(async () => {
  await browser.close();
  assert.equal(await network.stop(), 0);
});

// Few tokens a message, so that an answer takes many.
const kSlowly = { instructions_per_message: "opt (400000000 : nat64)" };

async function askLong(visitor) {
  await visitor.page.click("#advanced-toggle");
  await visitor.page.fill("#seed", "1"); // with which the model does not end early
  await visitor.page.click("#advanced-toggle");
  await visitor.setRange("tokens", 240);
  await visitor.setRange("temperature", 1);
  await visitor.ask("Tell me a long story");
}

// Texts of the last answer, as it changes.
function watchAnswer(page) {
  return page.evaluate(() => {
    window.states = [];
    new MutationObserver(() => {
      const text = [...document.querySelectorAll(".answer-text")].at(-1)?.textContent ?? "";
      if (text !== "" && text !== window.states.at(-1)) window.states.push(text);
    }).observe(document.getElementById("turns"), { subtree: true, childList: true, characterData: true });
    window.shifts = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const moved = entry.sources.map(({ node }) => node?.id || node?.className || node?.nodeName);
        if (!entry.hadRecentInput) window.shifts.push(`${entry.value} ${moved}`);
      }
    }).observe({ type: "layout-shift" });
  });
}

test("an answer grows before one's eyes, and nothing moves", async (t) => {
  const visitor = await visit(browser, network);
  const { page } = visitor;
  await watchAnswer(page);
  await askLong(visitor);
  await page.waitForFunction(() => window.states.length >= 2);
  await visitor.screenshot("growing");
  assert.ok(await page.locator("#stop").isVisible());
  assert.match(await page.locator(".stats").textContent(), /tokens · [\d,]+ tokens\/s · [\d.]+ [MB] instructions/);
  await visitor.answered();
  const states = await page.evaluate(() => window.states);
  t.diagnostic(`${states.length} states`);
  assert.ok(states.length >= 3, `${states.length} states`);
  for (let i = 1; i < states.length; ++i) assert.ok(states[i].startsWith(states[i - 1]), "it only grows");
  assert.deepEqual(await page.evaluate(() => window.shifts), []);
  await visitor.leave();
});

test("an answer is stopped in the middle, and the chat goes on", async () => {
  const visitor = await visit(browser, network);
  const { page } = visitor;
  await watchAnswer(page);
  await askLong(visitor);
  await page.waitForFunction(() => window.states.length >= 1);
  await page.click("#stop");
  const text = await visitor.answered();
  assert.match(await page.locator(".stats").textContent(), /stopped$/);
  assert.ok(text.length > 0);
  const tokens = Number(/^(\d+) token/.exec(await page.locator(".stats").textContent())[1]);
  assert.ok(tokens > 0 && tokens < 240, `${tokens} tokens`);
  await visitor.setRange("tokens", 5);
  await visitor.ask("And then?");
  await visitor.answered();
  const [chat] = JSON.parse(await page.evaluate(() => localStorage.getItem("gpt2ic.chats")));
  assert.ok(chat.turns[1].answer.cachedTokens > tokens, "the session has the stopped answer");
  await visitor.leave();
});

test("an answer under way is followed again after a reload", async () => {
  const visitor = await visit(browser, network);
  const { page } = visitor;
  await watchAnswer(page);
  await askLong(visitor);
  await page.waitForFunction(() => window.states.length >= 1);
  await page.reload();
  await page.waitForSelector(".working .answer-text:not(:empty)");
  await visitor.answered();
  assert.match(await page.locator(".stats").textContent(), /^\d{2,3} tokens/);
  await visitor.leave();
});

test("an answer goes on while another chat is open", async () => {
  const visitor = await visit(browser, network);
  const { page } = visitor;
  await watchAnswer(page);
  await askLong(visitor);
  await page.waitForFunction(() => window.states.length >= 1);
  await page.click("#new-chat");
  assert.ok(await page.locator("#generate").isVisible());
  await visitor.setRange("tokens", 3);
  await visitor.ask("Something else");
  await visitor.answered();
  await page.locator(".chat").nth(1).click();
  assert.match(await visitor.answered(), /\w/);
  assert.match(await page.locator(".stats").textContent(), /^240 tokens/);
  await visitor.leave();
});

test("busy: the queue is full", async () => {
  await network.setPolicy({ ...kSlowly, max_queue: "1 : nat32", max_jobs_per_caller: "1 : nat32" });
  const visitor = await visit(browser, network);
  const other = await visit(browser, network);
  await askLong(other);
  await other.page.waitForSelector("#stop:visible");
  await other.page.waitForSelector(".working .answer-text:not(:empty)");
  await visitor.ask("Me too");
  const { title, sentence } = await visitor.failure();
  assert.equal(title, "Too many are asking");
  assert.match(sentence, /answers .*are in the queue.*, at most 1 can be/);
  await other.page.click("#stop");
  await other.answered();
  await visitor.setRange("tokens", 3);
  await visitor.page.getByRole("button", { name: "Try again" }).click();
  await visitor.answered();
  assert.equal(await visitor.page.locator(".failure strong").count(), 0);
  await network.setPolicy(kSlowly);
  await other.leave();
  await visitor.leave();
});

test("not allowed: the policy names who may, and the page says how to be let in", async () => {
  const visitor = await visit(browser, network);
  await network.setPolicy({ open_to: '"listed"' });
  await visitor.ask("May I?");
  const { title, sentence } = await visitor.failure();
  assert.equal(title, "You may not ask here yet");
  assert.match(sentence, /generates for: listed/);
  const command = await visitor.page.locator(".failure code").textContent();
  const principal = /principal "([a-z0-9-]+)"/.exec(command)[1];
  await visitor.screenshot("not-allowed");
  await network.call("add_authorized_principal", `(principal "${principal}")`); // as the page says
  await visitor.setRange("tokens", 3);
  await visitor.page.getByRole("button", { name: "Try again" }).click();
  await visitor.answered();
  assert.equal(await visitor.page.locator(".failure strong").count(), 0);
  await network.setPolicy(kSlowly);
  await visitor.leave();
});

test("quota: so many tokens a day", async () => {
  await network.setPolicy({ ...kSlowly, tokens_per_caller_per_day: "opt (5 : nat64)" });
  const visitor = await visit(browser, network);
  await visitor.ask("What is the capital of France?");
  const { sentence, todo } = await visitor.failure();
  assert.match(sentence, /tokens were asked for, but of your 5 tokens a day 0 are used/);
  assert.match(todo, /midnight UTC, in \d+/);
  await network.setPolicy(kSlowly);
  await visitor.leave();
});

test("too long: the prompt does not fit the context, or the policy", async () => {
  const visitor = await visit(browser, network);
  await visitor.ask("word ".repeat(300));
  assert.match((await visitor.failure()).sentence, /the prompt has \d+ tokens, expected at most the context of 256/);
  await network.setPolicy({ ...kSlowly, max_prompt_bytes: "100 : nat32" });
  await visitor.ask("word ".repeat(100));
  const { title, sentence } = await visitor.failure();
  assert.equal(title, "This is too long");
  assert.match(sentence, /the input has 515 bytes, expected at most 100/);
  await network.setPolicy(kSlowly);
  await visitor.leave();
});

test("the network is gone in the middle of an answer, and back", async () => {
  const visitor = await visit(browser, network);
  const { page } = visitor;
  await watchAnswer(page);
  await askLong(visitor);
  await page.waitForFunction(() => window.states.length >= 1);
  await visitor.context.setOffline(true);
  await page.waitForSelector("text=The network is gone");
  await visitor.screenshot("offline");
  await visitor.context.setOffline(false);
  await visitor.answered();
  assert.match(await page.locator(".stats").textContent(), /^\d{2,3} tokens/);
  assert.equal(await page.locator(".failure strong").count(), 0);
  forgive(visitor, /ERR_INTERNET_DISCONNECTED/);
  await visitor.leave();
});

test("the network is gone before a question", async () => {
  const visitor = await visit(browser, network);
  await visitor.context.setOffline(true);
  await visitor.ask("Is anybody there?");
  const { title, sentence } = await visitor.failure();
  assert.equal(title, "The network cannot be reached");
  assert.match(sentence, /does not answer/);
  await visitor.context.setOffline(false);
  await visitor.setRange("tokens", 3);
  await visitor.page.getByRole("button", { name: "Try again" }).click();
  await visitor.answered();
  assert.equal(await visitor.page.locator(".failure strong").count(), 0);
  forgive(visitor, /ERR_INTERNET_DISCONNECTED/);
  await visitor.leave();
});

test("the canister is stopped, and started again", async () => {
  const visitor = await visit(browser, network);
  const manage = (method) => run(network, gpt2ic, ["call", "aaaaa-aa", method, `(record { canister_id = principal "${network.canister}" })`, "--network", network.url]);
  await manage("stop_canister");
  await visitor.ask("Are you there?");
  const { title, sentence } = await visitor.failure();
  assert.equal(title, "The canister is stopped");
  assert.match(sentence, /is stopped/);
  await visitor.page.waitForSelector('#pill[data-state="offline"]', { timeout: 20_000 });
  await manage("start_canister");
  await visitor.setRange("tokens", 3);
  await visitor.page.getByRole("button", { name: "Try again" }).click();
  await visitor.answered();
  assert.equal(await visitor.page.locator(".failure strong").count(), 0);
  await visitor.page.waitForSelector('#pill[data-state="ready"]', { timeout: 20_000 });
  await visitor.leave();
});

test("no cycles: for a question, and in the middle of an answer", async () => {
  const visitor = await visit(browser, network);
  const { page } = visitor;
  const freezeAt = (seconds) => run(network, gpt2ic, ["call", "aaaaa-aa", "update_settings",
    `(record { canister_id = principal "${network.canister}"; settings = record { freezing_threshold = opt (${seconds} : nat) } })`, "--network", network.url]);
  await freezeAt("10_000_000_000_000");
  await visitor.ask("Do you have cycles?");
  const { title, sentence } = await visitor.failure();
  assert.equal(title, "The canister has run low on cycles");
  assert.match(sentence, /out of cycles: please top up the canister with at least \d+ additional cycles/);
  assert.equal(await page.locator(".failure code").textContent(), `icp canister top-up ${network.canister} --amount 1t`);
  await freezeAt("2_592_000");
  await watchAnswer(page);
  await askLong(visitor);
  await page.waitForFunction(() => window.states.length >= 1);
  await freezeAt("10_000_000_000_000");
  await page.waitForSelector("text=/it's frozen.* The answer goes on when the canister does/");
  await freezeAt("2_592_000");
  await visitor.answered();
  assert.match(await page.locator(".stats").last().textContent(), /^\d{2,3} tokens/);
  await visitor.leave();
});

test("no model yet, then ready by itself", async () => {
  const visitor = await visit(browser, network);
  await network.gpt2ic("deploy", "model", "--mode", "reinstall");
  await visitor.ask("Is there a model?");
  const { title, sentence } = await visitor.failure();
  assert.equal(title, "The model is not ready");
  assert.match(sentence, /the model is not set up/);
  await visitor.page.waitForSelector('#pill[data-state="empty"]', { timeout: 20_000 });
  await visitor.screenshot("empty");
  for (const file of ["config.json", "tokenizer.json", "model.safetensors"]) {
    await network.gpt2ic("upload", "model", "upload_chunk", join(root, "models/demo", file));
  }
  await visitor.page.waitForSelector('#pill[data-state="ready"]', { timeout: 20_000 });
  await visitor.page.getByRole("button", { name: "Try again" }).click();
  await visitor.answered();
  assert.equal(await visitor.page.locator(".failure strong").count(), 0);
  await visitor.leave();
});

test("a page that knows no model says so; the next deployment tells it", async () => {
  const frontend = network.host.split(".")[0];
  await run(network, gpt2ic, ["call", "aaaaa-aa", "update_settings",
    `(record { canister_id = principal "${frontend}"; settings = record { environment_variables = opt vec {} } })`, "--network", network.url]);
  const visitor = await visit(browser, network, { go: false });
  await visitor.page.goto(network.page);
  assert.match(await visitor.page.locator("#turns .sentence").textContent(), /no environment variable PUBLIC_CANISTER_ID:model/);
  await network.gpt2ic("deploy", "frontend");
  await visitor.open(network.page);
  await visitor.setRange("tokens", 3);
  await visitor.ask("What is 3 plus 4?");
  await visitor.answered();
  assert.equal(await visitor.page.locator(".failure strong").count(), 0);
  await visitor.leave();
});

function forgive(visitor, pattern) {
  for (let i = visitor.complaints.length - 1; i >= 0; --i) {
    if (pattern.test(visitor.complaints[i])) visitor.complaints.splice(i, 1);
  }
}
