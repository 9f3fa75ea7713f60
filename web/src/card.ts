// The model card: where it runs, which model, which code, what it costs, who may; and how to check
// each. The pill and the four facts of the first screen are its short form.
import type { Policy, Status } from "#model";
import { commandRow, rows } from "./check";
import { byId, copyButton, h, setText } from "./dom";
import { abbreviated, bytes, count, dollars, hex, short } from "./format";
import type { Connection } from "./network";

export interface Known {
  connection: Connection;
  status: Status;
  policy: Policy;
  moduleHash: string; // of the canister, certified
}

export function parameters(model: NonNullable<Status["model"][0]>): number {
  const { n_layer, n_embd, n_ctx, n_vocab } = model;
  return n_vocab * n_embd + n_ctx * n_embd + n_layer * (12 * n_embd * n_embd + 13 * n_embd) + 2 * n_embd;
}

export function networkName(connection: Connection): string {
  return connection.mainnet ? "the Internet Computer" : "a local network";
}

export function stateText(status: Status): string {
  const percent = status.loading_percent[0];
  switch (status.state) {
    case "ready":
      return status.queued > 0 ? `at work, ${status.queued} in the queue` : "model ready";
    case "loading":
      return percent === undefined ? "loading the model" : `loading the model, ${percent} %`;
    case "empty":
      return "no model yet";
    default:
      return status.state;
  }
}

// The price of a token is measured by the canister when it loads a model; a short answer's quote
// stands for it on the first screen.
export function showFacts(known: Known, answerCycles: bigint | undefined): void {
  const { connection, status } = known;
  const model = status.model[0];
  setText(byId("fact-where"), `Canister ${abbreviated(connection.canister)}`);
  setText(byId("fact-where-note"), connection.mainnet ? "on the Internet Computer" : "on a local Internet Computer");
  setText(byId("fact-model"), model === undefined ? "none yet" : `GPT-2, ${short(parameters(model))} parameters`);
  setText(byId("fact-model-note"), model === undefined ? stateText(status) : `${model.mode}, sha-256 ${abbreviated(hex(model.sha256))}`);
  setText(byId("fact-code"), `wasm ${abbreviated(known.moduleHash)}`);
  setText(byId("fact-code-note"), "open source, certified by the network");
  setText(byId("fact-cost"), answerCycles === undefined ? "quoted before each answer" : `${dollars(answerCycles)} an answer`);
  setText(byId("fact-cost-note"), answerCycles === undefined ? "and counted as it grows" : `${short(answerCycles)} cycles, quoted by the canister`);
}

function section(title: string, ...children: (Node | null)[]): HTMLElement {
  return h("section", {}, h("h3", {}, title), ...children);
}

function modelSection(status: Status): HTMLElement {
  const model = status.model[0];
  if (model === undefined) return section("Model", h("p", {}, `The canister has ${stateText(status)}.`));
  return section("Model",
    rows([
      ["Shape", `GPT-2: ${model.n_layer} layers, ${model.n_head} heads, width ${model.n_embd}`],
      ["Context", `${count(model.n_ctx)} tokens of ${count(model.n_vocab)}`],
      ["Parameters", count(parameters(model))],
      ["Weights", `${model.mode}, ${bytes(model.bytes)}`],
      ["sha-256", hex(model.sha256)],
    ]),
    h("p", {}, "Pack the same model yourself; the hash it prints is this one:"),
    commandRow("build/native/gpt2ic pack models/demo -o model.packed"));
}

function codeSection(known: Known): HTMLElement {
  const { status, moduleHash, connection } = known;
  const { frontend } = connection;
  const page = rows([["This page", frontend === undefined ? undefined : `canister ${frontend}`]]);
  if (frontend !== undefined) {
    connection.moduleHash(frontend).then(
      (hash) => setText(page.querySelector("dd") ?? page, `canister ${frontend}, wasm ${hash}`),
      () => undefined);
  }
  // It comes from the canister and goes into a command line.
  const revision = /^[0-9a-f]{40}(?=(-dirty)?$)/.exec(status.git_revision)?.[0];
  return section("Code",
    rows([
      ["Wasm, sha-256", moduleHash],
      ["Source", `revision ${status.git_revision}`],
    ]),
    page,
    h("p", {}, h("a", { href: "/licenses.txt" }, "Licences of the libraries in this page")),
    h("p", {}, "The network signs the hash of the module that it runs. Build the same bytes:"),
    commandRow(`${revision === undefined ? "" : `git checkout ${revision} && `}make wasm && sha256sum build/wasm/model.wasm`));
}

const kOpenTo: Record<string, string> = {
  everyone: "everyone, also anonymously",
  authenticated: "everyone with a key (this browser has made one)",
  listed: "those whom the owner has let in",
  controllers: "its controllers",
};

function houseSection({ status, policy, connection }: Known): HTMLElement {
  const quota = policy.tokens_per_caller_per_day[0];
  const all = policy.tokens_per_day[0];
  return section("Where, who and how much",
    rows([
      ["Canister", connection.canister],
      ["Network", networkName(connection)],
      ["Balance", `${short(status.cycles)} cycles (${dollars(status.cycles)})`],
      ["Memory", `${bytes(status.heap_bytes)} heap, ${bytes(status.stable_bytes)} stable`],
      ["Answers for", kOpenTo[policy.open_to] ?? policy.open_to],
      ["Tokens a day", `${quota === undefined ? "no limit" : count(quota)} for one, ${all === undefined ? "no limit" : count(all)} for all (${count(status.tokens_today)} used today)`],
    ]),
    copyButton("Copy the canister's id", () => connection.canister));
}

export function showCard(known: Known | undefined): void {
  const dialog = byId<HTMLDialogElement>("card");
  const close = h("button", { type: "button", class: "quiet close", onclick: () => dialog.close() }, "Close");
  dialog.replaceChildren(
    h("div", { class: "dialog-head" }, h("h2", { id: "card-title" }, "What answers you"), close),
    ...(known === undefined
      ? [h("p", {}, "The canister has not answered yet.")]
      : [houseSection(known), modelSection(known.status), codeSection(known)]));
  dialog.showModal();
}
