// From a question to its answer: a job of the canister, started, polled and perhaps stopped.
import type { GenerateArgs, Message, Progress, Quote } from "#model";
import type { Answer, Chat, Settings, Turn } from "./chats";
import { isWorking } from "./chats";
import { FailureError, failureFromCanister, failureOf } from "./failure";
import type { Connection } from "./network";

const kPollMs = 120; // when text is coming
const kPollMaxMs = 1500; // when none is
const kOfflineMs = 1000;
const kStillMs = 6000; // after which the page says that nothing comes

function opt<T>(value: T | undefined): [] | [T] {
  return value === undefined ? [] : [value];
}

// The whole text of a chat before a new question, for a session that has none of it.
function history(turns: readonly Turn[]): Message[] {
  return turns.flatMap(({ question, answer }) =>
    answer.text === "" ? [] : [{ role: "user", content: question }, { role: "assistant", content: answer.text }],
  );
}

// A session belongs to the principal that began it.
function sessionOf(chat: Chat, connection: Connection): bigint | undefined {
  return chat.session !== undefined && chat.owner === connection.principal ? BigInt(chat.session) : undefined;
}

export function argumentsFor(connection: Connection, chat: Chat, before: readonly Turn[], question: string, settings: Settings): GenerateArgs {
  const session = before.length > 0 ? sessionOf(chat, connection) : undefined;
  const past = session === undefined && !settings.raw ? history(before) : [];
  return {
    input: settings.raw ? { prompt: question } : { messages: [...past, { role: "user", content: question }] },
    session: opt(session),
    sampling: {
      max_tokens: [settings.tokens],
      temperature: [settings.temperature],
      top_k: opt(settings.topK),
      top_p: opt(settings.topP),
      seed: opt(settings.seed === undefined ? undefined : BigInt(settings.seed)),
      repetition_penalty: [],
      frequency_penalty: [],
      presence_penalty: [],
      stop: [],
      logprobs: [],
    },
  };
}

export async function quoteFor(connection: Connection, args: GenerateArgs): Promise<Quote> {
  const answer = await connection.model.quote(args);
  if ("Err" in answer) throw new FailureError(failureFromCanister(answer.Err));
  return answer.Ok;
}

// What inspect_message drops has no sentence; the canister tells it to those who ask.
async function refusal(connection: Connection): Promise<FailureError> {
  const may = await connection.model.may_generate();
  return new FailureError("Err" in may
    ? failureFromCanister(may.Err)
    : { code: "busy", sentence: "The canister refused this call, and would take it now." });
}

async function start(connection: Connection, args: GenerateArgs): Promise<bigint> {
  try {
    const answer = await connection.model.generate_start(args);
    if ("Err" in answer) throw new FailureError(failureFromCanister(answer.Err));
    return answer.Ok.job;
  } catch (error) {
    if (failureOf(error).code === "refused") throw await refusal(connection);
    throw error;
  }
}

function take(answer: Answer, chat: Chat, connection: Connection, progress: Progress, seconds: number): void {
  answer.text += progress.text;
  answer.state = progress.state as Answer["state"];
  answer.promptTokens = progress.prompt_tokens;
  answer.cachedTokens = progress.cached_tokens;
  answer.tokens = progress.tokens;
  answer.instructions = progress.instructions.toString();
  answer.cycles = progress.cycles.toString();
  answer.seed = progress.seed.toString();
  if (progress.finish_reason[0] !== undefined) answer.finish = progress.finish_reason[0];
  if (progress.error[0] !== undefined) answer.failure = failureFromCanister(progress.error[0]);
  if (progress.receipt[0] !== undefined) answer.receipt = progress.receipt[0].toString();
  if (progress.tokens > 0 || progress.state === "done") answer.seconds = seconds;
  chat.session = progress.session[0]?.toString();
  chat.owner = connection.principal;
  const position = progress.queue_position[0] ?? 0;
  if (progress.state === "queued" && position > 0) answer.waitingFor = `${position} before you in the queue`;
  else delete answer.waitingFor;
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

// One question under way. `changed` is called whenever the turn's answer has changed.
export class Asking {
  private stopped = false;

  constructor(
    private readonly connection: Connection,
    private readonly chat: Chat,
    private readonly turn: Turn,
    private readonly changed: () => void,
  ) {}

  // Asks and follows to the end; failures are in the answer.
  async run(): Promise<void> {
    await this.guarded(async () => {
      const before = this.chat.turns.slice(0, this.chat.turns.indexOf(this.turn));
      const job = await this.startIn(before);
      this.turn.answer.job = job.toString();
      this.turn.answer.state = "queued";
      this.changed();
      if (this.stopped) await this.cancel();
      await this.follow(job, 0n, performance.now());
    });
  }

  // Goes on with an answer that was under way when the page was left.
  async resume(): Promise<void> {
    await this.guarded(async () => {
      const { answer } = this.turn;
      if (answer.job === undefined) {
        throw new FailureError({ code: "not_found", sentence: "The page was closed before the canister had taken this question." });
      }
      answer.text = "";
      await this.follow(BigInt(answer.job), 0n, performance.now() - answer.seconds * 1000);
    });
  }

  // Ends the answer with what there is.
  async stop(): Promise<void> {
    this.stopped = true;
    if (this.turn.answer.job !== undefined) await this.cancel();
  }

  private async cancel(): Promise<void> {
    const { job } = this.turn.answer;
    if (job === undefined || !isWorking(this.turn.answer)) return;
    try {
      await this.connection.model.generate_cancel(BigInt(job));
    } catch {
      // The poll tells what has become of it.
    }
  }

  private async guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.turn.answer.state = "failed";
      this.turn.answer.failure = failureOf(error);
    }
    delete this.turn.answer.waitingFor;
    this.changed();
  }

  // A session that the canister no longer has is made again from the chat's text.
  private async startIn(before: readonly Turn[]): Promise<bigint> {
    const { chat, connection, turn } = this;
    const args = argumentsFor(connection, chat, before, turn.question, turn.answer.settings);
    try {
      return await start(connection, args);
    } catch (error) {
      if (args.session.length === 0 || failureOf(error).code !== "not_found") throw error;
      chat.session = undefined;
      return start(connection, argumentsFor(connection, chat, before, turn.question, turn.answer.settings));
    }
  }

  private async follow(job: bigint, from: bigint, started: number): Promise<void> {
    const { answer } = this.turn;
    let wait = kPollMs;
    let movedAt = performance.now();
    do {
      const progress = await this.poll(job, from);
      const seconds = (performance.now() - started) / 1000;
      const moved = progress.next !== from || progress.state !== answer.state;
      take(answer, this.chat, this.connection, progress, seconds);
      from = progress.next;
      if (moved) movedAt = performance.now();
      const still = performance.now() - movedAt;
      if (still > kStillMs && answer.waitingFor === undefined) {
        answer.waitingFor = `Nothing new for ${Math.round(still / 1000)} s: the canister is at work on a long message, or out of cycles.`;
      }
      wait = moved ? kPollMs : Math.min(wait * 1.4, kPollMaxMs);
      this.changed();
      if (isWorking(answer)) await pause(wait);
    } while (isWorking(answer));
  }

  // The job goes on without us, or when the canister can again: what may end by itself is waited for.
  private async poll(job: bigint, from: bigint): Promise<Progress> {
    for (;;) {
      try {
        const answer = await this.connection.model.generate_poll(job, from);
        if ("Err" in answer) throw new FailureError(failureFromCanister(answer.Err));
        return answer.Ok;
      } catch (error) {
        const { code, sentence } = failureOf(error);
        if (this.stopped || !["offline", "out_of_cycles", "stopped"].includes(code)) throw error;
        this.turn.answer.waitingFor = code === "offline"
          ? "The network is gone; the canister goes on writing. Trying again…"
          : `${sentence} The answer goes on when the canister does. Trying again…`;
        this.changed();
        await pause(kOfflineMs);
      }
    }
  }
}
