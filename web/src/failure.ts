// What went wrong, in the canister's own sentence, and what to do about it.

export interface Failure {
  // The code of a canister's Error, or one of ours: "offline", "stopped", "refused", "untrusted",
  // "rejected".
  readonly code: string;
  readonly sentence: string;
}

export class FailureError extends Error {
  constructor(readonly failure: Failure) {
    super(failure.sentence);
  }
}

// A canister's Error.
export function failureFromCanister(error: { code: string; message: string }): Failure {
  return { code: error.code, sentence: error.message };
}

export function failureOf(error: unknown): Failure {
  if (error instanceof FailureError) return error.failure;
  return { code: "internal", sentence: error instanceof Error ? error.message : String(error) };
}

export interface Advice {
  readonly title: string;
  readonly todo: string;
  // Something to type, if that helps.
  readonly command?: string;
  readonly again: boolean; // whether the same request may do better later
}

export interface Around {
  readonly canister: string;
  readonly principal: string;
}

function untilMidnight(): string {
  const minutes = Math.ceil((86_400_000 - (Date.now() % 86_400_000)) / 60_000);
  return minutes >= 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes} min`;
}

export function adviceOn(failure: Failure, around: Around): Advice {
  switch (failure.code) {
    case "bad_input":
      return { title: "The canister cannot take this", todo: "Change what the sentence names and send it again.", again: false };
    case "too_large":
      return { title: "This is too long", todo: "Shorten the prompt, or start a new chat: its past counts too.", again: false };
    case "not_allowed":
    case "refused":
      return {
        title: "You may not ask here yet",
        todo: "The canister's owner decides who may. Send them your principal; they let you in with:",
        command: `gpt2ic call ${around.canister} add_authorized_principal '(principal "${around.principal}")'`,
        again: true,
      };
    case "not_ready":
      return { title: "The model is not ready", todo: "It is ready again by itself once it is loaded, usually within a minute. Your question is kept.", again: true };
    case "busy":
      return { title: "Too many are asking", todo: "Wait for an answer to be done, then try again.", again: true };
    case "quota":
      return { title: "Today's tokens are used up", todo: `The count starts anew at midnight UTC, in ${untilMidnight()}. Fewer tokens may still fit today.`, again: true };
    case "out_of_cycles":
      return {
        title: "The canister has run low on cycles",
        todo: "Cycles pay for its work, and anyone may add some:",
        command: `icp canister top-up ${around.canister} --amount 1t`,
        again: true,
      };
    case "conflict":
      return { title: "This chat is still at work", todo: "Wait for its answer, or stop it.", again: true };
    case "not_found":
      return { title: "The canister has forgotten this", todo: "Answers are kept for a day. Ask again: the chat's text is sent along.", again: true };
    case "stopped":
      return {
        title: "The canister is stopped",
        todo: "Its owner starts it with:",
        command: `icp canister start ${around.canister}`,
        again: true,
      };
    case "offline":
      return { title: "The network cannot be reached", todo: "Is this device online, and the local network running (make serve)? An answer under way goes on in the canister meanwhile.", again: true };
    case "untrusted":
      return { title: "This reply does not verify", todo: "The network's signature does not cover what arrived, so it is not shown. Reload the page; if it happens again, do not trust this gateway.", again: true };
    default:
      return { title: "That did not work", todo: "Try again; if it happens again, tell the canister's owner this sentence.", again: true };
  }
}
