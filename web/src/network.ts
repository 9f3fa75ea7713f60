// All that talks to the Internet Computer: the agent, the key kept in this browser, the canister
// `model`. A chunk of its own; only this file and receipt.ts import @icp-sdk/core.
import { Actor, AgentError, AnonymousIdentity, HttpAgent, IC_ROOT_KEY, TransportError, TrustError, CanisterStatus } from "@icp-sdk/core/agent";
import type { Identity } from "@icp-sdk/core/agent";
import { safeGetCanisterEnv } from "@icp-sdk/core/agent/canister-env";
import { ECDSAKeyIdentity } from "@icp-sdk/core/identity";
import { Principal } from "@icp-sdk/core/principal";
import { idlFactory } from "#model";
import type { _SERVICE } from "#model";
import { FailureError } from "./failure";
import type { Failure } from "./failure";
import { hex } from "./format";
import { checkReceipt } from "./receipt";
import type { CheckedReceipt } from "./receipt";
import type { Answer } from "./chats";
import { forgetKey, keptKey, keepKey } from "./keys";

export type Model = _SERVICE;

export interface Connection {
  readonly model: Model;
  readonly canister: string;
  readonly frontend: string | undefined;
  readonly principal: string;
  readonly anonymous: boolean;
  readonly keyIsKept: boolean; // false: gone with the tab
  readonly mainnet: boolean;
  readonly rootKey: string; // hexadecimal
  readonly moduleHash: (canister: string) => Promise<string>;
  readonly checkReceipt: (id: string, shown: Answer) => Promise<CheckedReceipt>;
}

interface Environment {
  readonly "PUBLIC_CANISTER_ID:model"?: string;
  readonly "PUBLIC_CANISTER_ID:frontend"?: string;
}

async function identityOf(anonymous: boolean): Promise<{ identity: Identity; kept: boolean }> {
  if (anonymous) return { identity: new AnonymousIdentity(), kept: true };
  const known = await keptKey();
  if (known !== undefined) return { identity: await ECDSAKeyIdentity.fromKeyPair(known), kept: true };
  // Not extractable: scripts can sign with it and cannot read it.
  const made = await ECDSAKeyIdentity.generate({ extractable: false });
  return { identity: made, kept: await keepKey(made.getKeyPair()) };
}

export async function connect(anonymous: boolean): Promise<Connection> {
  const env = safeGetCanisterEnv<Environment>();
  const canister = env?.["PUBLIC_CANISTER_ID:model"];
  if (env === undefined || canister === undefined) {
    throw new FailureError({
      code: "no_model",
      sentence: "This page's canister has no environment variable PUBLIC_CANISTER_ID:model, so the page does not know which canister to ask.",
    });
  }
  const { identity, kept } = await identityOf(anonymous);
  // The gateway that served the page is the way to the network, whatever its name.
  const agent = await HttpAgent.create({ host: location.origin, identity, rootKey: env.IC_ROOT_KEY, retryTimes: 1 });
  const model = readable(Actor.createActor<Model>(idlFactory, { agent, canisterId: canister }));
  const rootKey = env.IC_ROOT_KEY;
  return {
    model,
    rootKey: hex(rootKey),
    checkReceipt: (id, shown) => checkReceipt({ agent, model, canister, rootKey }, BigInt(id), shown),
    canister,
    frontend: env["PUBLIC_CANISTER_ID:frontend"],
    principal: identity.getPrincipal().toText(),
    anonymous,
    keyIsKept: kept,
    mainnet: hex(rootKey) === IC_ROOT_KEY,
    moduleHash: async (id) => {
      const canisterId = Principal.fromText(id);
      const status = await CanisterStatus.request({ agent, canisterId, paths: ["module_hash"] });
      return String(status.get("module_hash") ?? "");
    },
  };
}

export { forgetKey };

// The actor with failures as this page shows them.
function readable(model: Model): Model {
  return new Proxy(model, {
    get(target, name, receiver) {
      const method: unknown = Reflect.get(target, name, receiver);
      if (typeof method !== "function") return method;
      return async (...args: unknown[]) => {
        try {
          return await (method as (...args: unknown[]) => Promise<unknown>)(...args);
        } catch (error) {
          throw new FailureError(failureFrom(error));
        }
      };
    },
  });
}

// The reject's own sentence.
interface Reject {
  readonly rejectMessage: string;
  readonly rejectErrorCode?: string;
}

function rejectIn(error: unknown): Reject | undefined {
  if (!(error instanceof AgentError)) return undefined;
  const code: unknown = error.code;
  return typeof code === "object" && code !== null && "rejectMessage" in code ? (code as Reject) : undefined;
}

function failureFrom(error: unknown): Failure {
  const reject = rejectIn(error);
  if (reject !== undefined) {
    return { code: codeOfReject(reject), sentence: reject.rejectMessage };
  }
  const sentence = error instanceof Error ? error.message : String(error);
  if (error instanceof TrustError) return { code: "untrusted", sentence };
  if (error instanceof TransportError || !navigator.onLine || /fetch/i.test(sentence)) {
    return { code: "offline", sentence: "The gateway at " + location.host + " does not answer." };
  }
  return { code: "internal", sentence };
}

// Interface spec, error codes.
function codeOfReject(reject: Reject): string {
  switch (reject.rejectErrorCode) {
    case "IC0508":
    case "IC0509":
      return "stopped";
    case "IC0207":
      return "out_of_cycles";
    case "IC0406":
      return "refused"; // by inspect_message
    default:
      return "rejected";
  }
}
