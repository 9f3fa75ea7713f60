// The JavaScript agent against `gpt2ic serve`, with all of its verification on.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Actor, HttpAgent, IC_ROOT_KEY, CanisterStatus, AnonymousIdentity } from "@icp-sdk/core/agent";
import { IDL } from "@icp-sdk/core/candid";
import { DelegationChain, DelegationIdentity, ECDSAKeyIdentity, Ed25519KeyIdentity } from "@icp-sdk/core/identity";
import { Secp256k1KeyIdentity } from "@icp-sdk/core/identity/secp256k1";
import { Principal } from "@icp-sdk/core/principal";
import { startNetwork } from "./network.js";

let network;
before(async () => (network = await startNetwork("--demo")));
after(async () => assert.equal(await network.stop(), 0));

// The part of model.did that the tests use.
const model = ({ IDL }) => {
  const TextResult = IDL.Variant({ Ok: IDL.Text, Err: IDL.Text });
  const Ids = IDL.Vec(IDL.Nat32);
  return IDL.Service({
    fibonacci: IDL.Func([IDL.Nat32], [IDL.Nat32], ["query"]),
    generate: IDL.Func([IDL.Text, IDL.Nat8, IDL.Float64], [TextResult], []),
    tokenize: IDL.Func(
      [IDL.Text],
      [IDL.Variant({ Ok: IDL.Record({ token_ids: Ids, tokens: IDL.Vec(IDL.Text) }), Err: IDL.Text })],
      ["query"],
    ),
    decode_batch: IDL.Func([Ids], [TextResult], ["query"]),
    is_principal_authorized: IDL.Func([IDL.Principal], [IDL.Bool], ["query"]),
    add_authorized_principal: IDL.Func([IDL.Principal], [], []),
    config_bytes_length: IDL.Func([], [IDL.Nat64], ["query"]),
    append_config_bytes: IDL.Func([IDL.Vec(IDL.Nat8)], [], []),
  });
};
const management = ({ IDL }) =>
  IDL.Service({
    provisional_create_canister_with_cycles: IDL.Func(
      [IDL.Record({ amount: IDL.Opt(IDL.Nat) })],
      [IDL.Record({ canister_id: IDL.Principal })],
      [],
    ),
    canister_status: IDL.Func(
      [IDL.Record({ canister_id: IDL.Principal })],
      [IDL.Record({ settings: IDL.Record({ controllers: IDL.Vec(IDL.Principal) }), cycles: IDL.Nat })],
      [],
    ),
  });

async function agentOf(identity) {
  return HttpAgent.create({ host: network.url, identity, rootKey: network.rootKey });
}
async function modelAs(identity) {
  return Actor.createActor(model, { agent: await agentOf(identity), canisterId: network.canister });
}

async function identities() {
  const ed25519 = Ed25519KeyIdentity.generate(new Uint8Array(32).fill(7));
  const session = await ECDSAKeyIdentity.generate();
  const chain = await DelegationChain.create(ed25519, session.getPublicKey(), new Date(Date.now() + 600_000));
  const targeted = await DelegationChain.create(ed25519, session.getPublicKey(), new Date(Date.now() + 600_000), {
    targets: [Principal.fromText(network.canister), Principal.managementCanister()],
  });
  return {
    anonymous: new AnonymousIdentity(),
    Ed25519: ed25519,
    secp256k1: Secp256k1KeyIdentity.generate(new Uint8Array(32).fill(8)),
    "P-256": session,
    delegation: DelegationIdentity.fromDelegation(session, chain),
    "targeted delegation": DelegationIdentity.fromDelegation(session, targeted),
  };
}

test("the root key of the real network is the one we have", () => {
  assert.match(IC_ROOT_KEY, /^308182301d060d2b06/);
  assert.notEqual(network.rootKey.toString("hex"), IC_ROOT_KEY);
});

test("fetchRootKey gets the printed root key", async () => {
  const agent = await HttpAgent.create({ host: network.url, shouldFetchRootKey: true });
  assert.equal(Buffer.from(agent.rootKey).toString("hex"), network.rootKey.toString("hex"));
});

test("every kind of identity queries and calls as itself", async () => {
  for (const [name, identity] of Object.entries(await identities())) {
    const agent = await agentOf(identity);
    const actor = await modelAs(identity);
    assert.equal(await actor.fibonacci(10), 55, name);
    const ic = Actor.createActor(management, {
      agent,
      canisterId: Principal.managementCanister(),
      callTransform: (method, [args]) => ({ effectiveCanisterId: args.canister_id ?? network.canister }),
    });
    const { canister_id } = await ic.provisional_create_canister_with_cycles({ amount: [10n ** 13n] });
    const status = await ic.canister_status({ canister_id });
    assert.deepEqual(
      status.settings.controllers.map((p) => p.toText()),
      [identity.getPrincipal().toText()],
      name,
    );
  }
});

test("the owner of the demo asks it", async () => {
  const actor = await modelAs(new AnonymousIdentity());
  const answer = await actor.generate("What is the capital of France?", 20, 0);
  assert.match(answer.Ok, /Paris/);
  const { Ok: tokens } = await actor.tokenize("Hello world");
  assert.equal((await actor.decode_batch(tokens.token_ids)).Ok, "Hello world");
});

test("a stranger's call that the canister does not take is rejected", async () => {
  const stranger = await modelAs(Ed25519KeyIdentity.generate(new Uint8Array(32).fill(9)));
  await assert.rejects(stranger.append_config_bytes(new Uint8Array([1])), /rejected the message|not allowed|controller/);
});

test("asynchronous calls are polled to their certificate", async () => {
  const agent = await agentOf(new AnonymousIdentity());
  const who = Ed25519KeyIdentity.generate(new Uint8Array(32).fill(10)).getPrincipal();
  const { requestId, response } = await agent.call(network.canister, {
    methodName: "add_authorized_principal",
    arg: IDL.encode([IDL.Principal], [who]),
    effectiveCanisterId: network.canister,
    callSync: false,
  });
  assert.equal(response.status, 202);
  assert.equal(requestId.length, 32);
  const actor = await modelAs(new AnonymousIdentity());
  for (let tries = 0; !(await actor.is_principal_authorized(who)); ++tries) assert.ok(tries < 100);
});

test("certified state is read and verified", async () => {
  const agent = await agentOf(new AnonymousIdentity());
  const status = await CanisterStatus.request({
    agent,
    canisterId: Principal.fromText(network.canister),
    paths: ["time", "controllers", "subnet", "module_hash", "candid"],
  });
  assert.match(status.get("candid"), /generate : \(text, nat8, float64\)/);
  assert.equal(status.get("module_hash").length, 64);
  assert.deepEqual(status.get("controllers").map((p) => p.toText()), ["2vxsx-fae"]);
});

test("a wrong root key is noticed", async () => {
  const agent = await HttpAgent.create({ host: network.url, rootKey: Buffer.from(IC_ROOT_KEY, "hex") });
  const actor = Actor.createActor(model, { agent, canisterId: network.canister });
  const unverified = /signature|verif|certificate/i;
  await assert.rejects(actor.append_config_bytes(new Uint8Array([1])), unverified);
  await assert.rejects(actor.fibonacci(10), unverified);
});
