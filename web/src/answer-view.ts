// One question and its answer on the screen. Numbers and buttons stand above the growing text, so
// that nothing moves when tokens arrive.
import type { Answer, Turn } from "./chats";
import { isWorking } from "./chats";
import { checkPanel, commandRow } from "./check";
import { copyButton, h, setText } from "./dom";
import type { Connection } from "./network";
import { adviceOn } from "./failure";
import type { Around } from "./failure";
import { count, dollars, plural, short } from "./format";

export interface TurnActions {
  retry(turn: Turn): void;
  edit(turn: Turn, question: string): void;
  around(): Around;
  connection(): Connection | undefined;
}

const kStateNames: Record<Answer["state"], string> = {
  asking: "asking the canister",
  queued: "waiting for its turn",
  prefill: "reading",
  decoding: "writing",
  done: "",
  cancelled: "stopped",
  failed: "",
};

const kEnds: Record<string, string> = {
  length: "ended at the number of tokens asked for",
  context: "ended where the model's context is full",
};

function perSecond(rate: number): string {
  return rate >= 10 ? count(Math.round(rate)) : rate.toPrecision(2);
}

export function statsText(answer: Answer): string {
  if (answer.tokens === 0) return "";
  const rate = answer.seconds > 0 ? `${perSecond(answer.tokens / answer.seconds)} tokens/s` : "";
  const cycles = BigInt(answer.cycles);
  return [
    plural(answer.tokens, "token"),
    rate,
    `${short(BigInt(answer.instructions))} instructions`,
    `${short(cycles)} cycles (${dollars(cycles)})`,
  ].filter((part) => part !== "").join(" · ");
}

export class TurnView {
  readonly element: HTMLElement;
  private readonly question = h("p", { class: "question-text" });
  private readonly state = h("span", { class: "state" });
  private readonly stats = h("span", { class: "stats" });
  private readonly text = h("div", { class: "answer-text" });
  private readonly note = h("p", { class: "note" });
  private readonly failure = h("div", { class: "failure", role: "alert" });
  private readonly footer = h("div", { class: "answer-foot" });
  private readonly buttons: HTMLElement;
  private readonly questionBox: HTMLElement;
  private shown = "";

  constructor(private readonly turn: Turn, private readonly actions: TurnActions) {
    const edit = h("button", { type: "button", class: "small", onclick: () => this.beginEdit() }, "Edit");
    const retry = h("button", { type: "button", class: "small", onclick: () => actions.retry(turn) }, "Retry");
    this.buttons = h("span", { class: "buttons" }, copyButton("Copy", () => turn.answer.text), retry);
    this.questionBox = h("div", { class: "question" }, this.question, edit);
    this.element = h("article", { class: "turn" },
      this.questionBox,
      h("div", { class: "answer" },
        h("div", { class: "answer-head" }, h("span", { class: "who" }, "GPT-2"), this.state, this.stats, this.buttons),
        this.text, this.note, this.failure, this.footer));
    setText(this.question, turn.question);
    this.update();
  }

  update(): void {
    const { answer } = this.turn;
    const working = isWorking(answer);
    this.element.classList.toggle("working", working);
    this.text.setAttribute("aria-busy", String(working));
    setText(this.state, kStateNames[answer.state]);
    this.state.classList.toggle("unseen", !working);
    setText(this.stats, [statsText(answer), answer.state === "cancelled" ? "stopped" : ""].filter(Boolean).join(" · "));
    const nothing = working || answer.text === "";
    this.buttons.classList.toggle("unseen", nothing);
    this.buttons.toggleAttribute("inert", nothing);
    this.text.classList.toggle("failed", answer.failure !== undefined);
    setText(this.note, answer.waitingFor ?? kEnds[answer.finish ?? ""] ?? "");
    this.updateText(answer.text.trimStart(), working);
    this.updateFailure();
    if (!working && this.footer.childElementCount === 0 && answer.job !== undefined) this.footer.append(checkPanel(this.turn, () => this.actions.connection()));
    if (working) this.footer.replaceChildren();
  }

  // What is new fades in; at the end it is one text again.
  private updateText(text: string, working: boolean): void {
    if (!working || !text.startsWith(this.shown)) {
      if (this.text.textContent !== text || !working) this.text.replaceChildren(text);
    } else if (text.length > this.shown.length) {
      this.text.append(h("span", { class: "new" }, text.slice(this.shown.length)));
    }
    this.shown = text;
  }

  private updateFailure(): void {
    const { failure } = this.turn.answer;
    if (failure === undefined) return this.failure.replaceChildren();
    const advice = adviceOn(failure, this.actions.around());
    if (this.failure.dataset["sentence"] === failure.sentence && this.failure.childElementCount > 0) return;
    this.failure.dataset["sentence"] = failure.sentence;
    this.failure.replaceChildren(
      h("strong", {}, advice.title),
      h("p", { class: "sentence" }, failure.sentence),
      h("p", {}, advice.todo),
    );
    if (advice.command !== undefined) this.failure.append(commandRow(advice.command));
    if (advice.again) this.failure.append(h("button", { type: "button", onclick: () => this.actions.retry(this.turn) }, "Try again"));
  }

  private beginEdit(): void {
    const field = h("textarea", { "aria-label": "Edit the question", rows: "2" });
    field.value = this.turn.question;
    const end = (): void => form.replaceWith(this.questionBox);
    const save = h("button", { type: "submit", class: "primary" }, "Ask this instead");
    const form = h("form", { class: "question editing", onsubmit: (event) => {
      event.preventDefault();
      end();
      if (field.value.trim() !== "") this.actions.edit(this.turn, field.value.trim());
    } }, field, h("div", { class: "row" }, h("button", { type: "button", class: "quiet", onclick: end }, "Cancel"), save));
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") end();
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
    this.questionBox.replaceWith(form);
    field.focus();
  }
}
