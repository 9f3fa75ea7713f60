// tools/screenshots: the pictures of docs/, from the demo as it is.
import { statSync } from "node:fs";
import { join } from "node:path";
import { root, startBrowser, startDemo, visit } from "./support.js";

const kBytesMax = 150_000;

const network = await startDemo();
const browser = await startBrowser();

async function picture(name, options, scene) {
  const visitor = await visit(browser, network, options);
  const { page } = visitor;
  await page.waitForFunction(() => document.getElementById("fact-cost").textContent.includes("$"));
  await scene(visitor);
  await page.evaluate(() => document.activeElement.blur());
  await page.mouse.move(0, 0);
  await page.waitForTimeout(300);
  const path = join(root, "docs", `${name}.png`);
  await page.screenshot({ path });
  await visitor.leave();
  const { size } = statSync(path);
  if (size > kBytesMax) throw new Error(`${path} has ${size} bytes, at most ${kBytesMax}`);
  console.log(`docs/${name}.png  ${size} bytes`);
}

async function chat(visitor) {
  for (const question of ["What is a canister?", "What is 3 plus 4?", "What is the capital of France?"]) {
    await visitor.ask(question);
    await visitor.answered();
  }
}

await picture("page", {}, () => undefined);
await picture("page-chat", { viewport: { width: 1280, height: 860 } }, async (visitor) => {
  await chat(visitor);
  await visitor.page.locator(".check summary").last().click();
  await visitor.page.locator(".verdict").waitFor();
  await visitor.page.locator(".turn").last().scrollIntoViewIfNeeded();
  await visitor.page.evaluate(() => document.querySelector(".turn:last-child").scrollIntoView());
  await visitor.page.fill("#prompt", "What is the opposite of hot?");
  await visitor.page.waitForFunction(() => /instructions/.test(document.getElementById("quote").textContent));
});
await picture("page-phone", { viewport: { width: 390, height: 780 }, colorScheme: "dark" }, chat);

await browser.close();
await network.stop();
