// The receipt of an answer (docs/receipt.md), checked in the browser as far as that goes without the
// model: everything but computing the answer again.
import { Cbor, Certificate, LookupPathStatus, lookup_path, reconstruct } from "@icp-sdk/core/agent";
import type { HashTree, HttpAgent } from "@icp-sdk/core/agent";
import { Principal } from "@icp-sdk/core/principal";
import type { Receipt, _SERVICE } from "#model";
import type { Answer } from "./chats";
import { FailureError, failureFromCanister } from "./failure";
import { hex } from "./format";

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly text: string;
}

export interface CheckedReceipt {
  readonly id: string;
  readonly file: string; // for gpt2ic verify
  readonly checks: readonly Check[];
}

interface Sources {
  readonly agent: HttpAgent;
  readonly model: _SERVICE;
  readonly canister: string;
  readonly rootKey: Uint8Array;
}

const kReceiptBytes = 280;
const kTries = 10; // for two certificates of the same state

function fields(receipt: Uint8Array) {
  const view = new DataView(receipt.buffer, receipt.byteOffset, receipt.byteLength);
  const u64 = (at: number): bigint => view.getBigUint64(at, true);
  return {
    id: u64(16),
    installedNs: u64(48),
    idBytes: receipt[14] ?? 0,
    seed: u64(56),
    maxTokens: view.getUint32(64, true),
    topK: view.getUint32(68, true),
    inputTokens: view.getUint32(72, true),
    outputTokens: view.getUint32(76, true),
    temperature: view.getFloat64(88, true),
    topP: view.getFloat64(96, true),
    model: hex(receipt.subarray(128, 160)),
    input: hex(receipt.subarray(160, 192)),
    output: hex(receipt.subarray(192, 224)),
  };
}

async function sha256(bytes: Uint8Array): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes))));
}

function hashOfIds(ids: Iterable<number>, idBytes: number): Promise<string> {
  const list = [...ids];
  const bytes = new Uint8Array(list.length * idBytes);
  list.forEach((id, i) => {
    for (let b = 0; b < idBytes; ++b) bytes[i * idBytes + b] = (id >>> (8 * b)) & 255;
  });
  return sha256(bytes);
}

function bigEndian(id: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, id);
  return bytes;
}

function valueAt(path: (string | Uint8Array)[], tree: HashTree): Uint8Array | undefined {
  const found = lookup_path(path.map((label) => (typeof label === "string" ? new TextEncoder().encode(label) : label)), tree);
  return found.status === LookupPathStatus.Found ? found.value : undefined;
}

function leb128(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 7n) | BigInt(byte & 127), 0n);
}

async function fetchReceipt(sources: Sources, id: bigint): Promise<{ receipt: Receipt; moduleCertificate: Uint8Array; sameState: boolean }> {
  const canisterId = Principal.fromText(sources.canister);
  const paths = [[new TextEncoder().encode("canister"), canisterId.toUint8Array(), new TextEncoder().encode("module_hash")]];
  for (let tries = 1; ; ++tries) {
    const [answer, state] = await Promise.all([
      sources.model.receipt(id),
      sources.agent.readState({ canisterId }, { paths }),
    ]);
    if ("Err" in answer) throw new FailureError(failureFromCanister(answer.Err));
    const receipt = answer.Ok;
    const roots = await Promise.all([receipt.certificate, state.certificate].map((bytes) =>
      reconstruct(Cbor.decode<{ tree: HashTree }>(new Uint8Array(bytes)).tree)));
    const sameState = hex(roots[0] ?? []) === hex(roots[1] ?? []);
    if (sameState || tries === kTries) return { receipt, moduleCertificate: state.certificate, sameState };
  }
}

function fileOf(canister: string, receipt: Receipt, moduleCertificate: Uint8Array): string {
  const answer = receipt.answer[0];
  return JSON.stringify({
    gpt2ic_receipt: 1,
    canister,
    receipt: hex(receipt.receipt),
    witness: hex(receipt.witness),
    certificate: hex(receipt.certificate),
    module_certificate: hex(moduleCertificate),
    answer: answer === undefined ? null : { input: [...answer.input], output: [...answer.output], stop: answer.stop },
  }, null, 1) + "\n";
}

export async function checkReceipt(sources: Sources, id: bigint, shown: Answer): Promise<CheckedReceipt> {
  const { receipt, moduleCertificate, sameState } = await fetchReceipt(sources, id);
  const checks: Check[] = [];
  const check = (name: string, ok: boolean, text: string): void => void checks.push({ name, ok, text });

  const bytes = new Uint8Array(receipt.receipt);
  if (bytes.length !== kReceiptBytes) throw new FailureError({ code: "untrusted", sentence: `the receipt has ${bytes.length} bytes, expected ${kReceiptBytes}` });
  const said = fields(bytes);

  const witness = Cbor.decode<HashTree>(new Uint8Array(receipt.witness));
  const canisterId = Principal.fromText(sources.canister);
  const verified = async (certificate: Uint8Array): Promise<Certificate | undefined> =>
    Certificate.create({ certificate: new Uint8Array(certificate), rootKey: sources.rootKey, principal: { canisterId } }).catch(() => undefined);
  const certificate = await verified(receipt.certificate);
  check("Certificate", certificate !== undefined, "signed by the network, under its root key, in the last five minutes");

  const certified = certificate?.lookup_path(["canister", canisterId.toUint8Array(), "certified_data"]);
  const root = await reconstruct(witness);
  const dataIsRoot = certified?.status === LookupPathStatus.Found && hex(certified.value) === hex(root);
  check("Witness", dataIsRoot, "its root is what the canister has had certified");
  const leaf = valueAt(["receipts", bigEndian(id)], witness);
  check("Receipt", leaf !== undefined && said.id === id && hex(leaf) === (await sha256(bytes)), `number ${id} in that tree is the hash of these ${kReceiptBytes} bytes`);

  await checkModule();
  const card = shown.weights ?? "";
  check("Model", card === "" || said.model === card, `sha-256 ${said.model}`);
  const { settings } = shown;
  check("Parameters",
    said.maxTokens === settings.tokens && said.temperature === settings.temperature && said.topK === (settings.topK ?? 0) &&
      said.topP === (settings.topP ?? 1) && (settings.seed === undefined || said.seed === BigInt(settings.seed)),
    `at most ${said.maxTokens} tokens, temperature ${said.temperature}, seed ${said.seed}`);
  await checkAnswer();
  return { id: id.toString(), file: fileOf(sources.canister, receipt, moduleCertificate), checks };

  async function checkModule(): Promise<void> {
    const module = await verified(moduleCertificate);
    const hash = module?.lookup_path(["canister", canisterId.toUint8Array(), "module_hash"]);
    const installed = valueAt(["installed_ns"], witness);
    const wasm = hash?.status === LookupPathStatus.Found ? hex(hash.value) : "";
    if (!sameState) return check("Module", false, "the network moves on too fast to tell; open this again");
    const isOlder = installed === undefined || leb128(installed) !== said.installedNs;
    check("Module", wasm !== "" && !isOlder, isOlder ? "another one gave this answer, before an upgrade" : `wasm ${wasm} certified this answer`);
  }

  async function checkAnswer(): Promise<void> {
    const answer = receipt.answer[0];
    if (answer === undefined) return check("Text", false, "its tokens are given to the caller who asked, and that is not you");
    const [input, output] = await Promise.all([hashOfIds(answer.input, said.idBytes), hashOfIds(answer.output, said.idBytes)]);
    check("Question", input === said.input && answer.input.length === said.inputTokens, `${said.inputTokens} tokens were read, and these are they`);
    const text = await sources.model.decode_batch(answer.output);
    const same = "Ok" in text && text.Ok === shown.text;
    check("Answer", output === said.output && answer.output.length === said.outputTokens && same, `${said.outputTokens} tokens were written, and they are the text above`);
  }
}
