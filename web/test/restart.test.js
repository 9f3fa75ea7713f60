// The network itself is stopped and started again, with the page open all the while.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startBrowser, startDemo, visit } from "./support.js";

test("a page outlives its network's restart, and its chat goes on", async () => {
  const state = mkdtempSync(join(tmpdir(), "gpt2ic-page-"));
  const browser = await startBrowser();
  let network = await startDemo("--state", state);
  const visitor = await visit(browser, network);
  const { page } = visitor;
  await visitor.ask("What is 3 plus 4?");
  await visitor.answered();
  assert.equal(await network.stop(), 0);
  await visitor.ask("What is the capital of France?");
  assert.equal((await visitor.failure()).title, "The network cannot be reached");
  await page.waitForSelector('#pill[data-state="offline"]');
  network = await startDemo("--state", state, "--port", String(network.port));
  await page.waitForSelector('#pill[data-state="ready"]');
  await page.getByRole("button", { name: "Try again" }).click();
  assert.equal(await visitor.answered(), "The capital of France is Paris.");
  const [chat] = JSON.parse(await page.evaluate(() => localStorage.getItem("gpt2ic.chats")));
  assert.ok(chat.turns[1].answer.promptTokens > chat.turns[0].answer.promptTokens + 6, "the session is the same one");
  const refused = visitor.complaints.filter((complaint) => /ERR_CONNECTION_REFUSED/.test(complaint));
  assert.ok(refused.length > 0 && refused.length === visitor.complaints.length, visitor.complaints.join("\n"));
  await visitor.context.close();
  await browser.close();
  assert.equal(await network.stop(), 0);
  rmSync(state, { recursive: true });
});
