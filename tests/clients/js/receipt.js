// The certified part of `gpt2ic verify`, written from docs/receipt.md alone, on the official
// libraries: an independent check of the format. Gives the names of the checks that fail.
import { createHash } from "node:crypto";
import { Cbor, Certificate, LookupPathStatus, lookup_path, reconstruct } from "@icp-sdk/core/agent";
import { Principal } from "@icp-sdk/core/principal";

const text = (label) => new TextEncoder().encode(label);
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const hex = (bytes) => Buffer.from(bytes).toString("hex");

function readReceipt(bytes) {
  if (bytes.length !== 280 || bytes.toString("latin1", 0, 8) !== "gpt2rcpt" || bytes.readUInt32LE(8) !== 1) return null;
  const flags = bytes[13];
  const receipt = {
    finish: bytes[12], idBytes: bytes[14], id: bytes.readBigUInt64LE(16), finishedNs: bytes.readBigUInt64LE(24),
    installedNs: bytes.readBigUInt64LE(48), inputTokens: bytes.readUInt32LE(72), outputTokens: bytes.readUInt32LE(76),
    input: hex(bytes.subarray(160, 192)), output: hex(bytes.subarray(192, 224)), stop: hex(bytes.subarray(224, 256)),
  };
  const between = (at, low, high) => bytes.readDoubleLE(at) >= low && bytes.readDoubleLE(at) <= high;
  const sound = receipt.finish >= 1 && receipt.finish <= 5 && flags <= 7 && [2, 4].includes(receipt.idBytes) &&
    bytes[15] === 0 && bytes.readUInt32LE(84) === 0 && bytes.readUInt32LE(276) === 0 &&
    ((flags & 1) !== 0 || bytes.readUInt32LE(80) === 0) && between(88, 0, 100) && between(96, 1e-6, 1) &&
    between(104, 0.01, 100) && between(112, -2, 2) && between(120, -2, 2);
  return sound ? receipt : null;
}

function hashOfIds(ids, width) {
  const bytes = Buffer.alloc(ids.length * width);
  ids.forEach((id, i) => (width === 2 ? bytes.writeUInt16LE(id, 2 * i) : bytes.writeUInt32LE(id, 4 * i)));
  return sha256(bytes);
}

function hashOfTexts(texts) {
  return sha256(Buffer.concat(texts.flatMap((one) => {
    const bytes = Buffer.from(one, "utf8"), length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return [length, bytes];
  })));
}

function valueAt(tree, path) {
  const found = lookup_path(path, tree);
  return found.status === LookupPathStatus.Found ? found.value : undefined;
}

const leb128 = (bytes) => bytes.reduceRight((value, byte) => (value << 7n) | BigInt(byte & 127), 0n);
const label = (id) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(id);
  return new Uint8Array(bytes);
};

// The tree of a certificate and whether the subnet signed it for this canister. BLS in JavaScript
// takes long: what was verified once is not verified again.
const known = new Map();
async function readCertificate(bytes, canisterId, rootKey) {
  const tree = Cbor.decode(bytes).tree;
  const root = hex(await reconstruct(tree));
  const key = [root, hex(Cbor.decode(bytes).signature), canisterId.toText(), hex(rootKey)].join();
  if (!known.has(key)) {
    const options = { certificate: bytes, rootKey, principal: { canisterId }, disableTimeVerification: true };
    known.set(key, Certificate.create(options).then(() => true, () => false));
  }
  return { tree, root, verified: await known.get(key) };
}

export async function failingChecks(file, rootKey, moduleHash, nowNs) {
  const failing = [];
  const check = async (name, holds) => {
    if (!(await Promise.resolve().then(holds).catch(() => false))) failing.push(name);
  };
  const bytes = Buffer.from(file.receipt, "hex");
  const receipt = readReceipt(bytes);
  if (receipt === null) return ["receipt"];
  const canisterId = Principal.fromText(file.canister), canister = [text("canister"), canisterId.toUint8Array()];
  const part = (name) => new Uint8Array(Buffer.from(file[name], "hex"));
  const data = () => readCertificate(part("certificate"), canisterId, rootKey);
  const witness = () => Cbor.decode(part("witness"));

  await check("certificate", async () => (await data()).verified);
  await check("time", async () => {
    const time = leb128(valueAt((await data()).tree, [text("time")]));
    return time >= receipt.finishedNs && time <= nowNs + 300_000_000_000n;
  });
  await check("witness", async () => {
    const certified = valueAt((await data()).tree, [...canister, text("certified_data")]);
    const leaf = valueAt(witness(), [text("receipts"), label(receipt.id)]);
    return hex(certified) === hex(await reconstruct(witness())) && hex(leaf) === sha256(bytes);
  });
  await check("module", async () => {
    const module = await readCertificate(part("module_certificate"), canisterId, rootKey);
    const installed = leb128(valueAt(witness(), [text("installed_ns")]));
    return module.verified && hex(valueAt(module.tree, [...canister, text("module_hash")])) === moduleHash &&
      module.root === (await data()).root && installed === receipt.installedNs;
  });
  const ids = (list, count, hash) => list.length === count && hashOfIds(list, receipt.idBytes) === hash;
  await check("input", () => hashOfTexts(file.answer.stop) === receipt.stop && ids(file.answer.input, receipt.inputTokens, receipt.input));
  await check("output", () => ids(file.answer.output, receipt.outputTokens, receipt.output));
  return failing;
}
