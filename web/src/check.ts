// "Check this answer": what is known of how it came to be, and how anyone can see for themselves.
import type { Turn } from "./chats";
import { copyButton, h } from "./dom";

type Row = readonly [label: string, value: string | undefined];

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

// Model, module, prompt and seed make the answer, to the last bit.
function repeatCommand({ question, answer }: Turn): string | undefined {
  const { settings } = answer;
  const first = answer.promptTokens > 0 && answer.cachedTokens === 0;
  if (!first || settings.raw || settings.topK !== undefined || settings.topP !== undefined) return undefined;
  return `build/native/gpt2ic run --native ${shellQuoted(question)} --tokens ${settings.tokens} --temperature ${settings.temperature} --seed ${answer.seed ?? 0}`;
}

export function commandRow(command: string): HTMLElement {
  return h("div", { class: "command" }, h("code", {}, command), copyButton("Copy", () => command));
}

export function rows(list: readonly Row[]): HTMLElement {
  return h("dl", { class: "rows" }, ...list.flatMap(([label, value]) =>
    value === undefined || value === "" ? [] : [h("div", {}, h("dt", {}, label), h("dd", {}, value))]));
}

export function checkPanel(turn: Turn): HTMLElement {
  const { answer } = turn;
  const panel = h("details", { class: "check" }, h("summary", {}, "Check this answer"));
  panel.addEventListener("toggle", () => {
    if (panel.childElementCount > 1) return;
    const repeat = repeatCommand(turn);
    panel.append(
      rows([
        ["Canister", answer.canister],
        ["Its code (wasm, certified)", answer.module],
        ["Model", answer.weights],
        ["Job", answer.job],
        ["Seed", answer.seed],
        ["Tokens", `${answer.promptTokens} read (${answer.cachedTokens} of them kept from before), ${answer.tokens} written`],
      ]),
      h("p", {}, "The same code, model, prompt and seed write the same answer, to the last bit."),
    );
    if (repeat !== undefined) panel.append(h("p", {}, "Repeat it on your own machine, without a network (--model DIR, if it is not the demo model):"), commandRow(repeat));
  });
  return panel;
}
