// The chats of this browser, kept in localStorage. What the canister keeps of them is its session.
import type { Failure } from "./failure";
import { keep, readKept } from "./kept";

export interface Settings {
  tokens: number;
  temperature: number;
  topK: number | undefined;
  topP: number | undefined;
  seed: string | undefined; // a nat64
  raw: boolean; // the prompt as it is, without the model's chat template
}

export const kDefaultSettings: Settings = {
  tokens: 40,
  temperature: 0.2,
  topK: undefined,
  topP: undefined,
  seed: undefined,
  raw: false,
};

export type AnswerState = "asking" | "queued" | "prefill" | "decoding" | "done" | "cancelled" | "failed";

// Big numbers as text: JSON has none.
export interface Answer {
  state: AnswerState;
  text: string;
  settings: Settings;
  job?: string;
  finish?: string; // "stop" "length" "context" "cancelled" "error"
  failure?: Failure;
  waitingFor?: string; // a note while nothing comes
  seconds: number;
  promptTokens: number;
  cachedTokens: number;
  tokens: number;
  instructions: string;
  cycles: string;
  seed?: string;
  module?: string; // hash of the module that answered, certified
  weights?: string; // hash of the model
  canister?: string;
  receipt?: string; // its number
}

export interface Turn {
  question: string;
  answer: Answer;
}

export interface Chat {
  id: string;
  title: string;
  created: number;
  changed: number; // the later copy of two tabs is the one that counts
  turns: Turn[];
  session?: string | undefined; // of the canister
  owner?: string | undefined; // the principal whose session it is
}

const kChatsKey = "gpt2ic.chats";
const kSettingsKey = "gpt2ic.settings";
const kChatsMax = 50;

export function isWorking(answer: Answer): boolean {
  return answer.state !== "done" && answer.state !== "cancelled" && answer.state !== "failed";
}

export function newAnswer(settings: Settings): Answer {
  return {
    state: "asking", text: "", settings: { ...settings }, seconds: 0, promptTokens: 0, cachedTokens: 0, tokens: 0,
    instructions: "0", cycles: "0",
  };
}

export function newChat(): Chat {
  return { id: crypto.randomUUID(), title: "New chat", created: Date.now(), changed: 0, turns: [] };
}

function isChat(value: unknown): value is Chat {
  if (typeof value !== "object" || value === null) return false;
  const chat = value as Partial<Chat>;
  return typeof chat.id === "string" && typeof chat.title === "string" && Array.isArray(chat.turns) &&
    chat.turns.every((turn) => typeof turn?.question === "string" && typeof turn.answer?.text === "string");
}

function stored(key: string): unknown {
  try {
    return JSON.parse(readKept(key) ?? "null");
  } catch {
    return null;
  }
}

export class Chats {
  readonly all: Chat[] = []; // newest first
  private readonly removed = new Set<string>();

  // `isBusy`: this tab is at work on the chat, so no other tab's copy of it counts.
  constructor(private readonly isBusy: (chat: Chat) => boolean) {
    this.merge();
  }

  add(chat: Chat): void {
    this.all.unshift(chat);
    this.all.length = Math.min(this.all.length, kChatsMax);
  }

  remove(chat: Chat): void {
    this.removed.add(chat.id);
    const at = this.all.indexOf(chat);
    if (at >= 0) this.all.splice(at, 1);
    this.save();
  }

  // Takes in what other tabs have written since. True if `open` was among it.
  merge(open?: Chat): boolean {
    let opened = false;
    const kept = stored(kChatsKey);
    for (const chat of Array.isArray(kept) ? kept.filter(isChat) : []) {
      if (this.removed.has(chat.id)) continue;
      const known = this.all.find(({ id }) => id === chat.id);
      if (known === undefined) {
        this.all.push(chat);
      } else if ((chat.changed ?? 0) > known.changed && !this.isBusy(known)) {
        Object.assign(known, chat);
        opened ||= known === open;
      }
    }
    this.all.sort((a, b) => b.created - a.created);
    this.all.length = Math.min(this.all.length, kChatsMax);
    return opened;
  }

  // When the browser has no room, the oldest go.
  save(changed?: Chat): void {
    if (changed !== undefined) changed.changed = Date.now();
    this.merge();
    for (let kept = this.all.filter((chat) => chat.turns.length > 0); ; kept = kept.slice(0, -1)) {
      if (keep(kChatsKey, JSON.stringify(kept)) || kept.length === 0) return;
    }
  }

  // Calls `changed` when another tab has saved.
  onChange(changed: () => void): void {
    addEventListener("storage", (event) => event.key === kChatsKey && changed());
  }
}

export function loadSettings(): Settings {
  const kept = stored(kSettingsKey);
  return { ...kDefaultSettings, ...(typeof kept === "object" ? kept : {}) };
}

export function saveSettings(settings: Settings): void {
  keep(kSettingsKey, JSON.stringify(settings));
}
