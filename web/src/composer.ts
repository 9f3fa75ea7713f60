// The form: the seed's controls first, then what is under "Advanced"; and the quote for what stands
// in it.
import type { Quote } from "#model";
import type { Settings } from "./chats";
import { loadSettings, saveSettings } from "./chats";
import { byId, setText } from "./dom";
import { failureOf } from "./failure";
import { count, dollars, plural, short } from "./format";

export interface ComposerActions {
  ask(question: string, settings: Settings): void;
  stop(): void;
  quote(question: string, settings: Settings): Promise<Quote>;
}

const kQuoteAfterMs = 250;
const kHint = "Before anything is spent, the price stands here. Enter asks, Shift+Enter begins a new line.";

function quoteText(quote: Quote): string {
  return `${plural(quote.prompt_tokens, "token")} to read, at most ${count(quote.max_tokens)} to write: ` +
    `about ${short(quote.instructions_expected)} instructions, ${short(quote.cycles_expected)} cycles (${dollars(quote.cycles_expected)})`;
}

export class Composer {
  readonly prompt = byId<HTMLTextAreaElement>("prompt");
  private readonly form = byId<HTMLFormElement>("composer");
  private readonly tokens = byId<HTMLInputElement>("tokens");
  private readonly temperature = byId<HTMLInputElement>("temperature");
  private readonly topK = byId<HTMLInputElement>("top-k");
  private readonly topP = byId<HTMLInputElement>("top-p");
  private readonly seed = byId<HTMLInputElement>("seed");
  private readonly raw = byId<HTMLInputElement>("raw");
  private readonly generate = byId<HTMLButtonElement>("generate");
  private readonly stop = byId<HTMLButtonElement>("stop");
  private working = false;
  private quoteTimer = 0;
  private quoteNumber = 0;

  constructor(private readonly actions: ComposerActions) {
    const settings = loadSettings();
    this.tokens.value = String(settings.tokens);
    this.temperature.value = String(settings.temperature);
    this.topK.value = String(settings.topK ?? "");
    this.topP.value = String(settings.topP ?? "");
    this.seed.value = settings.seed ?? "";
    this.raw.checked = settings.raw;
    this.showValues();
    this.say("");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.form.addEventListener("input", () => this.changed());
    this.prompt.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      if (!this.working) this.form.requestSubmit();
    });
    this.stop.addEventListener("click", () => actions.stop());
    const toggle = byId("advanced-toggle");
    toggle.addEventListener("click", () => {
      const advanced = byId("advanced");
      advanced.hidden = !advanced.hidden;
      toggle.setAttribute("aria-expanded", String(!advanced.hidden));
    });
  }

  settings(): Settings {
    const number = (input: HTMLInputElement): number | undefined =>
      input.value === "" || Number.isNaN(input.valueAsNumber) ? undefined : input.valueAsNumber;
    return {
      tokens: this.tokens.valueAsNumber,
      temperature: this.temperature.valueAsNumber,
      topK: number(this.topK),
      topP: number(this.topP),
      seed: /^[0-9]{1,20}$/.test(this.seed.value) ? this.seed.value : undefined,
      raw: this.raw.checked,
    };
  }

  // The most that the model can write.
  setTokensMax(most: number): void {
    this.tokens.max = String(Math.max(1, Math.min(most, 1000)));
    this.showValues();
  }

  setWorking(working: boolean): void {
    const focused = document.activeElement === this.stop || document.activeElement === this.generate;
    this.working = working;
    this.generate.hidden = working;
    this.stop.hidden = !working;
    if (focused) (working ? this.stop : this.prompt).focus();
  }

  clear(): void {
    this.prompt.value = "";
    this.changed();
  }

  // Asks for the quote of what stands in the form, when it has not changed for a moment.
  requote(): void {
    clearTimeout(this.quoteTimer);
    const number = ++this.quoteNumber;
    const question = this.prompt.value.trim();
    if (question === "") return this.say("");
    this.quoteTimer = window.setTimeout(() => {
      this.actions.quote(question, this.settings()).then(
        (quote) => number === this.quoteNumber && this.say(quoteText(quote)),
        (error: unknown) => number === this.quoteNumber && this.say(failureOf(error).sentence),
      );
    }, kQuoteAfterMs);
  }

  private submit(): void {
    const question = this.prompt.value.trim();
    if (question === "" || this.working) return this.prompt.focus();
    this.actions.ask(question, this.settings());
  }

  private changed(): void {
    this.showValues();
    saveSettings(this.settings());
    this.prompt.style.height = "auto";
    this.prompt.style.height = `${Math.min(this.prompt.scrollHeight + 2, 200)}px`;
    this.requote();
  }

  private showValues(): void {
    setText(byId("tokens-value"), this.tokens.value);
    setText(byId("temperature-value"), this.temperature.valueAsNumber.toFixed(1));
  }

  private say(text: string): void {
    setText(byId("quote"), text === "" ? kHint : text);
  }
}
