// The page in a browser, from the address that `gpt2ic serve --demo` prints.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import axe from "axe-core";
import { gpt2ic, run, startBrowser, startDemo, visit } from "./support.js";

let network, browser;
before(async () => {
  [network, browser] = await Promise.all([startDemo(), startBrowser()]);
});
after(async () => {
  await browser.close();
  assert.equal(await network.stop(), 0);
});

async function violations(page) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`).join(" | ")}`);
}

test("a stranger asks, and asks again in the same session; a reload finds it all", async () => {
  const visitor = await visit(browser, network);
  const { page } = visitor;
  await visitor.ask("What is the capital of France?");
  assert.equal(await visitor.answered(), "The capital of France is Paris.");
  assert.match(await page.locator(".stats").textContent(), /^7 tokens · [\d,.]+ tokens\/s · [\d.]+ M instructions · [\d.]+ M cycles \(\$0\.0000\d+\)$/);
  await visitor.ask("What is 3 plus 4?");
  assert.equal(await visitor.answered(), "3 plus 4 is 7.");
  const stored = JSON.parse(await page.evaluate(() => localStorage.getItem("gpt2ic.chats")));
  assert.equal(stored.length, 1);
  assert.ok(stored[0].session !== undefined);
  assert.ok(stored[0].turns[1].answer.cachedTokens > 0, "the session keeps what was read before");
  await page.reload();
  await page.waitForSelector('#pill[data-state="ready"]');
  assert.deepEqual(await page.locator(".answer-text").allTextContents(), ["The capital of France is Paris.", "3 plus 4 is 7."]);
  await visitor.ask("What is the opposite of hot?");
  assert.equal(await visitor.answered(), "The opposite of hot is cold.");
  const again = JSON.parse(await page.evaluate(() => localStorage.getItem("gpt2ic.chats")));
  assert.equal(again[0].session, stored[0].session, "the same key, so the same session");
  await visitor.screenshot("chat");
  await visitor.leave();
});

test("the page works where the host does not name the canister", async () => {
  const frontend = network.host.split(".")[0];
  const there = { ...network, page: `${network.url}/?canisterId=${frontend}`, host: new URL(network.url).host };
  const visitor = await visit(browser, there);
  await visitor.ask("What is 3 plus 4?");
  assert.equal(await visitor.answered(), "3 plus 4 is 7.");
  await visitor.leave();
});

test("the first screen says where, which model, which code and what it costs", async () => {
  const visitor = await visit(browser, network);
  const { page } = visitor;
  await page.waitForFunction(() => document.getElementById("fact-cost").textContent.includes("$"));
  const facts = await page.locator(".facts").textContent();
  const [start] = network.canister.split("-");
  assert.ok(facts.includes(`Canister ${start}`));
  assert.match(facts, /on a local Internet Computer/);
  assert.match(facts, /GPT-2, 2\.47 M parameters/);
  assert.match(facts, /\$0\.0000\d+ an answer/);
  await page.click("#more");
  const card = await page.locator("#card").textContent();
  const pack = await run(network, gpt2ic, ["pack", new URL("../../models/demo", import.meta.url).pathname, "-o", "demo.packed"]);
  assert.ok(card.includes(/sha-256 +([0-9a-f]{64})/.exec(pack)[1]), "what gpt2ic pack prints is the hash on the card");
  const wasm = readFileSync(new URL("../../build/wasm/model.wasm", import.meta.url));
  const hash = Buffer.from(await crypto.subtle.digest("SHA-256", wasm)).toString("hex");
  assert.ok(card.includes(hash), "the wasm's hash is the file's");
  await visitor.screenshot("card");
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("#card").isVisible(), false);
  await visitor.leave();
});

test("the quote stands before anything is spent, and follows prompt and sliders", async () => {
  const visitor = await visit(browser, network);
  const { page } = visitor;
  const quote = async (pattern) => {
    await page.waitForFunction((source) => new RegExp(source).test(document.getElementById("quote").textContent), pattern.source);
    return page.locator("#quote").textContent();
  };
  await page.fill("#prompt", "What is the capital of France?");
  const first = await quote(/at most 40 to write: about [\d.]+ M instructions, [\d.]+ M cycles \(\$/);
  await visitor.setRange("tokens", 100);
  const second = await quote(/at most 100 to write/);
  const cycles = (text) => Number(/([\d.]+) M cycles/.exec(text)[1]);
  assert.ok(cycles(second) > cycles(first));
  assert.equal(await page.locator("#tokens-value").textContent(), "100");
  await page.fill("#prompt", "");
  await quote(/Before anything is spent/);
  await visitor.leave();
});

test("sliders and advanced parameters reach the model, and are remembered", async () => {
  const visitor = await visit(browser, network);
  const { page } = visitor;
  await visitor.setRange("tokens", 3);
  await visitor.setRange("temperature", 1.5);
  await visitor.ask("What is the capital of France?");
  await visitor.answered();
  assert.match(await page.locator(".stats").textContent(), /^3 tokens/);
  assert.match(await page.locator(".note").last().textContent(), /number of tokens asked for/);
  await page.click("#advanced-toggle");
  await page.fill("#seed", "12345");
  await page.fill("#top-k", "50");
  await page.fill("#top-p", "0.9");
  await visitor.setRange("tokens", 12);
  const answers = [];
  for (let i = 0; i < 2; ++i) {
    await page.click("#new-chat");
    await visitor.ask("Tell me something");
    answers.push(await visitor.answered());
  }
  assert.equal(answers[0], answers[1], "the same seed, the same answer");
  const args = JSON.parse(await page.evaluate(() => localStorage.getItem("gpt2ic.chats")))[0].turns[0].answer;
  assert.deepEqual([args.settings.topK, args.settings.topP, args.seed], [50, 0.9, "12345"]);
  await page.check("#raw");
  await page.click("#new-chat");
  await visitor.ask("The capital of");
  await visitor.answered();
  await page.reload();
  assert.equal(await page.locator("#tokens").inputValue(), "12");
  assert.equal(await page.locator("#temperature").inputValue(), "1.5");
  assert.equal(await page.locator("#seed").inputValue(), "12345");
  assert.equal(await page.locator("#raw").isChecked(), true);
  await visitor.leave();
});

test("retry and edit write the chat anew from there", async () => {
  const visitor = await visit(browser, network);
  const { page } = visitor;
  await visitor.ask("What is 3 plus 4?");
  await visitor.answered();
  await visitor.ask("What is the capital of France?");
  await visitor.answered();
  await page.locator(".turn").nth(1).getByRole("button", { name: "Retry" }).click();
  assert.equal(await visitor.answered(), "The capital of France is Paris.");
  assert.equal(await page.locator(".turn").count(), 2);
  await page.locator(".turn").first().getByRole("button", { name: "Edit" }).click();
  const field = page.getByLabel("Edit the question");
  assert.equal(await field.inputValue(), "What is 3 plus 4?");
  await field.press("Escape");
  await page.locator(".turn").first().getByRole("button", { name: "Edit" }).click();
  await field.fill("What is the opposite of hot?");
  await field.press("Enter");
  assert.equal(await visitor.answered(), "The opposite of hot is cold.");
  assert.equal(await page.locator(".turn").count(), 1);
  await visitor.leave();
});

test("the receipt of an answer holds in the browser, and its file in gpt2ic verify", async () => {
  const visitor = await visit(browser, network);
  const { page } = visitor;
  await visitor.setRange("temperature", 1.3);
  await visitor.ask("What is the capital of France?");
  await visitor.answered();
  await visitor.ask("And of Spain?");
  const text = await visitor.answered();
  const turn = page.locator(".turn").last();
  await turn.locator(".check summary").click();
  await turn.locator(".verdict").waitFor();
  const checks = await turn.locator(".checks li").evaluateAll((list) => list.map((li) => [li.className, li.querySelector("strong").textContent]));
  const names = ["Certificate", "Witness", "Receipt", "Module", "Model", "Parameters", "Question", "Answer"];
  assert.deepEqual(checks, names.map((name) => ["holds", name]));
  const [file] = await Promise.all([page.waitForEvent("download"), turn.getByRole("button", { name: "Download the receipt" }).click()]);
  const path = await file.path();
  const [verify, fetch] = (await turn.locator(".receipt code").allTextContents()).map((line) => line.split(" ").slice(1));
  const demo = new URL("../../models/demo", import.meta.url).pathname;
  const at = (args) => args.map((arg) => (arg === file.suggestedFilename() ? path : arg === "models/demo" ? demo : arg));
  assert.match(await run(network, gpt2ic, at(verify)), /replay/);
  await run(network, gpt2ic, fetch); // as shown
  assert.equal(JSON.parse(readFileSync(`${network.folder}/${file.suggestedFilename()}`)).answer, null);
  // A changed answer does not hold.
  await page.evaluate(() => {
    const chats = JSON.parse(localStorage.getItem("gpt2ic.chats"));
    chats[0].turns[1].answer.text += "!";
    localStorage.setItem("gpt2ic.chats", JSON.stringify(chats));
  });
  await page.reload();
  await page.waitForSelector('#pill[data-state="ready"]');
  assert.equal(await visitor.lastAnswer.textContent(), `${text}!`);
  await turn.locator(".check summary").click();
  await turn.locator(".verdict").waitFor();
  assert.match(await turn.locator(".verdict").textContent(), /^1 of 8 checks do not hold/);
  assert.equal(await turn.locator(".checks .fails strong").textContent(), "Answer");
  // The command that asks the same without a network gives the same text.
  const first = page.locator(".turn").first();
  await first.locator(".check summary").click();
  const command = await first.locator(".check-content > .command code").textContent();
  const [, question, rest] = /--native '([^']*)' (.*)$/.exec(command);
  const printed = await run(network, gpt2ic, ["run", "--native", question, ...rest.split(" ")]);
  assert.ok(printed.includes(await first.locator(".answer-text").textContent()), printed);
  await visitor.leave();
});

test("copy, export, several chats, delete", async () => {
  const visitor = await visit(browser, network);
  const { page } = visitor;
  await visitor.ask("What is 3 plus 4?");
  await visitor.answered();
  await page.locator(".turn").getByRole("button", { name: "Copy" }).first().click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  await page.focus("#prompt");
  await page.keyboard.press("Control+V");
  assert.equal(await page.locator("#prompt").inputValue(), "3 plus 4 is 7.");
  await page.click("#new-chat");
  await visitor.ask("What is the capital of France?");
  await visitor.answered();
  assert.deepEqual(await page.locator(".chat").allTextContents(), ["What is the capital of France?", "What is 3 plus 4?"]);
  await page.locator(".chat").nth(1).click();
  assert.equal(await visitor.lastAnswer.textContent(), "3 plus 4 is 7.");
  const exported = async (name) => {
    await page.getByLabel("More on: What is 3 plus 4?").click();
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name }).click()]);
    const text = readFileSync(await file.path(), "utf8");
    await page.keyboard.press("Escape");
    assert.equal(await page.getByRole("button", { name }).isVisible(), false);
    return [file.suggestedFilename(), text];
  };
  const [markdownName, markdown] = await exported("Export as Markdown");
  assert.equal(markdownName, "what-is-3-plus-4.md");
  assert.match(markdown, /## What is 3 plus 4\?\n\n3 plus 4 is 7\.\n\n\*\d+ tokens/);
  const [jsonName, json] = await exported("Export as JSON");
  assert.equal(jsonName, "what-is-3-plus-4.json");
  assert.equal(JSON.parse(json).turns[0].answer.text, "3 plus 4 is 7.");
  await page.getByLabel("More on: What is 3 plus 4?").click();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Really delete?" }).click();
  assert.deepEqual(await page.locator(".chat").allTextContents(), ["What is the capital of France?"]);
  await visitor.leave();
});

test("two tabs do not lose each other's chats", async () => {
  const visitor = await visit(browser, network);
  await visitor.ask("What is 3 plus 4?");
  await visitor.answered();
  const other = await visitor.another();
  await other.page.click("#new-chat");
  await other.ask("What is the capital of France?");
  await other.answered();
  await visitor.ask("What is the opposite of hot?");
  await visitor.answered();
  const both = ["What is the capital of France?", "What is 3 plus 4?"];
  for (const { page } of [visitor, other]) {
    await page.waitForFunction(() => document.querySelectorAll(".chat").length === 2);
    assert.deepEqual(await page.locator(".chat").allTextContents(), both);
  }
  await other.page.locator(".chat").nth(1).click();
  await other.answered();
  assert.equal(await other.lastAnswer.textContent(), "The opposite of hot is cold.");
  await visitor.leave();
});

test("a session that the canister has forgotten is made again from the chat's text", async () => {
  const visitor = await visit(browser, network);
  const { page } = visitor;
  await visitor.ask("What is 3 plus 4?");
  await visitor.answered();
  await page.evaluate(() => {
    const chats = JSON.parse(localStorage.getItem("gpt2ic.chats"));
    chats[0].session = "999999";
    localStorage.setItem("gpt2ic.chats", JSON.stringify(chats));
  });
  await page.reload();
  await page.waitForSelector('#pill[data-state="ready"]');
  await visitor.ask("What is the opposite of hot?");
  assert.equal(await visitor.answered(), "The opposite of hot is cold.");
  const [chat] = JSON.parse(await page.evaluate(() => localStorage.getItem("gpt2ic.chats")));
  assert.notEqual(chat.session, "999999");
  assert.ok(chat.turns[1].answer.promptTokens > 20, "the first question and its answer are in it");
  await visitor.leave();
});

test("the key stays with the browser; anonymous only where the owner allows it", async () => {
  const visitor = await visit(browser, network);
  const { page } = visitor;
  const principal = async () => {
    await page.click("#you");
    const text = await page.locator("#identity code").textContent();
    await page.keyboard.press("Escape");
    return text;
  };
  const first = await principal();
  assert.match(first, /^[a-z0-9-]{63}$/);
  await page.reload();
  await page.waitForSelector('#pill[data-state="ready"]');
  assert.equal(await principal(), first);
  await page.click("#you");
  assert.ok(await page.getByRole("button", { name: "Ask anonymously" }).isDisabled());
  await page.getByRole("button", { name: "Make a new key" }).click();
  await page.getByRole("button", { name: "Really give up this key?" }).click();
  await page.waitForTimeout(500);
  assert.notEqual(await principal(), first);
  await network.setPolicy({ open_to: '"everyone"' });
  await page.reload();
  await page.waitForSelector('#pill[data-state="ready"]');
  await page.click("#you");
  await page.getByRole("button", { name: "Ask anonymously" }).click();
  await page.waitForTimeout(500);
  await visitor.ask("What is 3 plus 4?");
  assert.equal(await visitor.answered(), "3 plus 4 is 7.");
  await page.click("#you");
  assert.match(await page.locator("#identity").textContent(), /You ask anonymously/);
  await page.getByRole("button", { name: "Use this browser's key" }).click();
  await network.setPolicy();
  await visitor.leave();
});

test("the whole of it by keyboard", async () => {
  const visitor = await visit(browser, network);
  const { page } = visitor;
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent);
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Skip to the prompt");
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "prompt");
  await page.keyboard.type("What is 3 plus 4?");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.press("Backspace");
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "tokens");
  const before = Number(await page.locator("#tokens").inputValue());
  await page.keyboard.press("ArrowRight");
  assert.equal(Number(await page.locator("#tokens").inputValue()), before + 1);
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  assert.equal(await visitor.answered(), "3 plus 4 is 7.");
  assert.equal(await page.locator("#announcer").textContent(), "Answer: 3 plus 4 is 7.");
  await page.keyboard.type("What is the opposite of hot?");
  await page.keyboard.press("Enter");
  assert.equal(await visitor.answered(), "The opposite of hot is cold.");
  await visitor.leave();
});

for (const [name, options] of [
  ["light", {}],
  ["dark", { colorScheme: "dark" }],
  ["phone", { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
  ["phone-dark", { viewport: { width: 390, height: 844 }, colorScheme: "dark" }],
]) {
  test(`no accessibility violations, ${name}`, async () => {
    const visitor = await visit(browser, network, options);
    const { page } = visitor;
    await page.waitForFunction(() => document.getElementById("fact-cost").textContent.includes("$"));
    assert.deepEqual(await violations(page), []);
    await visitor.screenshot(`welcome-${name}`);
    await visitor.ask("What is a canister?");
    await visitor.answered();
    await page.click("#advanced-toggle");
    await page.locator(".check summary").click();
    assert.deepEqual(await violations(page), []);
    await page.click("#advanced-toggle");
    await page.fill("#prompt", "word ".repeat(400));
    await page.click("#generate");
    await visitor.failure();
    assert.deepEqual(await violations(page), []);
    await visitor.screenshot(`chat-${name}`);
    for (const opener of ["#pill", "#you"]) {
      if (opener === "#you" && name.startsWith("phone")) await page.click("#menu");
      await page.click(opener);
      assert.deepEqual(await violations(page), []);
      await page.keyboard.press("Escape");
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wide, false, "nothing is wider than the window");
    await visitor.leave();
  });
}
