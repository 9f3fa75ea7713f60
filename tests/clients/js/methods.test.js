// Every method of every canister, with arguments and answers at the types of its .did, by bindings
// that the official generator makes from it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { HttpAgent, AnonymousIdentity } from "@icp-sdk/core/agent";
import { IDL } from "@icp-sdk/core/candid";
import { gpt2ic, root, run, startNetwork } from "./network.js";

let network, agent, folder;
before(async () => {
  network = await startNetwork("--demo");
  agent = await HttpAgent.create({ host: network.url, identity: new AnonymousIdentity(), rootKey: network.rootKey });
  folder = mkdtempSync(join(root, "build/bindings-"));
  writeFileSync(join(folder, "package.json"), '{"type": "module"}');
  symlinkSync(join(root, "tests/clients/js/node_modules"), join(folder, "node_modules"));
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  assert.equal(await network.stop(), 0);
});

async function serviceOf(did) {
  execFileSync(
    process.execPath,
    [join(root, "tests/clients/js/node_modules/.bin/icp-bindgen"), "--did-file", join(root, did), "--out-dir", folder,
     "--declarations-flat", "--actor-disabled", "--force"],
    { stdio: "ignore", env: { ...process.env, DO_NOT_TRACK: "1" } },
  );
  const name = did.split("/").at(-1);
  const { idlFactory } = await import(pathToFileURL(join(folder, `${name}.js`)));
  return idlFactory({ IDL });
}

// A value of a type: the smallest, or with everything in it that the type has room for.
class Sample extends IDL.Visitor {
  visitType() { return null; }
  visitBool(_, full) { return full; }
  visitText(_, full) { return full ? "Zürich, 東京 🦜" : ""; }
  visitFixedNat(type, full) { return type._bits > 32 ? (full ? 1n : 0n) : full ? 1 : 0; }
  visitFixedInt(type, full) { return type._bits > 32 ? (full ? -1n : 0n) : full ? -1 : 0; }
  visitNat(_, full) { return full ? 2n ** 70n : 0n; }
  visitInt(_, full) { return full ? -(2n ** 70n) : 0n; }
  visitFloat(_, full) { return full ? 0.5 : 0; }
  visitPrincipal() { return new AnonymousIdentity().getPrincipal(); }
  visitOpt(_, inner, full) { return full ? [inner.accept(this, full)] : []; }
  visitVec(_, inner, full) { return full ? [inner.accept(this, full), inner.accept(this, full)] : []; }
  visitTuple(_, parts, full) { return parts.map((part) => part.accept(this, full)); }
  visitRecord(_, fields, full) { return Object.fromEntries(fields.map(([name, t]) => [name, t.accept(this, full)])); }
  visitVariant(_, fields, full) {
    const [name, type] = full ? fields.at(-1) : fields[0];
    return { [name]: type.accept(this, full) };
  }
  visitRec(_, type, full) { return type.accept(this, full); }
}

// What the canister says to a call: its decoded answer, or the sentence of its reject.
async function ask(canisterId, method, type, args) {
  const arg = IDL.encode(type.argTypes, args);
  assert.deepEqual(IDL.decode(type.argTypes, arg).length, args.length);
  try {
    let reply;
    if (type.annotations.includes("query")) {
      const response = await agent.query(canisterId, { methodName: method, arg });
      if (response.status === "rejected") return { rejected: response.reject_message };
      reply = response.reply.arg;
    } else {
      const result = await agent.update(canisterId, { methodName: method, arg });
      reply = result.reply ?? result.rawCertificate;
    }
    return { answer: IDL.decode(type.retTypes, reply) };
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return { rejected: /Reject text: (.*)/.exec(error.message)?.[1] ?? error.message };
  }
}

const canisters = [
  ["src/canister/model/model.did", "model"],
  ["src/canister/gpt2_backend/gpt2_backend.did", "gpt2_backend"],
];

for (const [did, name] of canisters) {
  test(`every method of ${name}`, async () => {
    let canister = network.canister;
    if (name !== "model") {
      const out = await run(network, gpt2ic, ["deploy", name, "--network", network.url]);
      canister = /[a-z0-9-]{20,}/.exec(out)[0];
    }
    const service = await serviceOf(did);
    assert.ok(service._fields.length >= 5);
    let answered = 0;
    for (const [method, type] of service._fields) {
      for (const full of [false, true]) {
        const args = type.argTypes.map((arg) => arg.accept(new Sample(), full));
        const { answer, rejected } = await ask(canister, method, type, args);
        if (answer) answered += 1;
        else {
          // It may refuse what it was asked, but not because it could not read it.
          assert.doesNotMatch(rejected, /decode|argument|candid|unreachable|out of bounds/i, `${method}: ${rejected}`);
        }
      }
    }
    assert.ok(answered > service._fields.length);  // most are answered even so
  });
}
