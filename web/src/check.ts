// "Check this answer": its receipt, what of it holds, and how anyone can see for themselves.
import type { Answer, Turn } from "./chats";
import { copyButton, download, h } from "./dom";
import { failureOf } from "./failure";
import type { Connection } from "./network";
import type { Check, CheckedReceipt } from "./receipt";

type Row = readonly [label: string, value: string | undefined];

export function commandRow(command: string): HTMLElement {
  return h("div", { class: "command" }, h("code", {}, command), copyButton("Copy", () => command));
}

export function rows(list: readonly Row[]): HTMLElement {
  return h("dl", { class: "rows" }, ...list.flatMap(([label, value]) =>
    value === undefined || value === "" ? [] : [h("div", {}, h("dt", {}, label), h("dd", {}, value))]));
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

// Model, prompt, parameters and seed make the answer, to the last bit.
function repeatCommand({ question, answer }: Turn): string | undefined {
  const { settings } = answer;
  const first = answer.promptTokens > 0 && answer.cachedTokens === 0;
  if (!first || settings.raw || settings.topK !== undefined || settings.topP !== undefined) return undefined;
  return `build/native/gpt2ic run --native ${shellQuoted(question)} --tokens ${settings.tokens} --temperature ${settings.temperature} --seed ${answer.seed ?? 0}`;
}

function checkRow({ name, ok, text }: Check): HTMLElement {
  return h("li", { class: ok ? "holds" : "fails" },
    h("span", { class: "mark-of" }, ok ? "✓" : "✗"), h("span", { class: "hidden" }, ok ? "holds: " : "does not hold: "),
    h("strong", {}, name), " ", h("span", {}, text));
}

function verifyCommand(file: string, connection: Connection): string {
  const key = connection.mainnet ? "" : ` --root-key ${connection.rootKey}`;
  return `build/native/gpt2ic verify ${file} --model models/demo${key}`;
}

function receiptPart(checked: CheckedReceipt, connection: Connection): HTMLElement[] {
  const failing = checked.checks.filter(({ ok }) => !ok).length;
  const file = `receipt-${checked.id}.json`;
  const network = connection.mainnet ? "ic" : location.origin.replace(/\/\/[^:/]*/, "//127.0.0.1");
  return [
    h("p", { class: "verdict" }, failing === 0
      ? "Everything that a browser can check holds. What is left is to compute the answer again:"
      : `${failing} of ${checked.checks.length} checks do not hold.`),
    h("ul", { class: "checks" }, ...checked.checks.map(checkRow)),
    h("p", {}, "Compute it again with your own copy of the model:"),
    h("div", { class: "row start" }, h("button", { type: "button", onclick: () => download(file, "application/json", checked.file) }, "Download the receipt")),
    commandRow(verifyCommand(file, connection)),
    h("p", {}, "Others fetch the receipt, without the tokens, with:"),
    commandRow(`build/native/gpt2ic receipt fetch ${connection.canister} ${checked.id} --network ${network} -o ${file}`),
  ];
}

async function receiptOf(answer: Answer, connection: Connection | undefined): Promise<HTMLElement[]> {
  if (answer.receipt === undefined) return [h("p", {}, "This answer has no receipt.")];
  if (connection === undefined) return [h("p", {}, "Not connected to the network.")];
  if (connection.canister !== answer.canister) return [h("p", {}, `Another canister gave this answer: ${answer.canister ?? ""}.`)];
  try {
    return receiptPart(await connection.checkReceipt(answer.receipt, answer), connection);
  } catch (error) {
    return [h("p", { class: "fails" }, failureOf(error).sentence)];
  }
}

export function checkPanel(turn: Turn, connection: () => Connection | undefined): HTMLElement {
  const { answer } = turn;
  const content = h("div", { class: "check-content" });
  const panel = h("details", { class: "check" }, h("summary", {}, "Check this answer"), content);
  panel.addEventListener("toggle", () => {
    if (!panel.open) return;
    const repeat = repeatCommand(turn);
    const receipt = h("div", { class: "receipt", "aria-live": "polite" }, h("p", {}, "Checking the receipt…"));
    content.replaceChildren(
      receipt,
      rows([
        ["Canister", answer.canister],
        ["Seed", answer.seed],
        ["Tokens", `${answer.promptTokens} read (${answer.cachedTokens} of them kept from before), ${answer.tokens} written`],
      ]));
    if (repeat !== undefined) {
      content.append(h("p", {}, "Or ask the same on your own machine, without a network (--model DIR, if it is not the demo model):"), commandRow(repeat));
    }
    void receiptOf(answer, connection()).then((parts) => receipt.replaceChildren(...parts));
  });
  return panel;
}
