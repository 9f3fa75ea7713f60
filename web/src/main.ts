// The page: which chat is open, what is under way, and what is known of the canister.
import { Asking, argumentsFor, quoteFor } from "./ask";
import { TurnView } from "./answer-view";
import type { Known } from "./card";
import { showCard, showFacts, stateText } from "./card";
import type { Chat, Settings, Turn } from "./chats";
import { Chats, isWorking, newAnswer, newChat } from "./chats";
import { Composer } from "./composer";
import { announce, buttonTwice, byId, h, setText } from "./dom";
import { exportJson, exportMarkdown } from "./export";
import { FailureError, adviceOn, failureOf } from "./failure";
import { hex } from "./format";
import { keep, readKept } from "./kept";
import type { Connection } from "./network";
import { startTheme } from "./theme";
import { showYou } from "./you";

const kStatusMs = 15_000;
const kStatusSoonMs = 2_000; // while the canister is not ready or not reached
const kSaveMs = 500; // while an answer grows
const kAnonymousKey = "gpt2ic.anonymous";
const kExamples = [
  "What is the capital of France?",
  "What is a canister?",
  "What is 3 plus 4?",
  "What is the opposite of hot?",
];

const asking = new Map<Chat, Asking>(); // an answer under way goes on while another chat is open
const chats = new Chats((one) => asking.has(one));
let chat: Chat = chats.all[0] ?? newChat();
let views: TurnView[] = [];
let connection: Connection | undefined;
let known: Known | undefined;
let statusTimer = 0;

const log = byId("log");

function atEnd(): boolean {
  return log.scrollHeight - log.scrollTop - log.clientHeight < 80;
}
function toEnd(): void {
  log.scrollTop = log.scrollHeight;
}

// ---- what is on the screen ----

function showChats(): void {
  const list = chats.all.filter((one) => one.turns.length > 0);
  byId("no-chats").hidden = list.length > 0;
  byId("chats").replaceChildren(...list.map((one) => {
    const open = h("button", { type: "button", class: "chat", "aria-current": one === chat ? "true" : undefined, onclick: () => openChat(one) }, one.title);
    const more = h("details", { class: "menu" }, h("summary", { "aria-label": `More on: ${one.title}` }, "⋯"),
      h("div", { class: "menu-list" },
        h("button", { type: "button", onclick: () => exportMarkdown(one) }, "Export as Markdown"),
        h("button", { type: "button", onclick: () => exportJson(one) }, "Export as JSON"),
        buttonTwice("Delete", "Really delete?", () => deleteChat(one))));
    return h("li", {}, open, more);
  }));
}

function showTurns(): void {
  const around = (): { canister: string; principal: string } =>
    ({ canister: connection?.canister ?? "model", principal: connection?.principal ?? "" });
  views = chat.turns.map((turn) => new TurnView(turn, { retry, edit, around, connection: () => connection }));
  byId("turns").replaceChildren(...views.map((view) => view.element));
  byId("welcome").hidden = chat.turns.length > 0;
  setText(byId("title"), chat.turns.length > 0 ? chat.title : "GPT-2 on the Internet Computer");
  if (chat.turns.length > 0) toEnd();
  else log.scrollTop = 0;
}

function showPill(state: string, text: string): void {
  byId("pill").dataset["state"] = state;
  setText(byId("pill-text"), text);
}

// ---- chats ----

function openChat(other: Chat): void {
  chat = other;
  composer.setWorking(asking.has(chat));
  showTurns();
  showChats();
  closeMenu();
  resumeOpenAnswer();
  composer.requote();
}

// The canister's part of a chat; it would be forgotten some day anyway.
function dropSession(of: Chat): void {
  if (connection !== undefined && of.session !== undefined && of.owner === connection.principal) {
    connection.model.session_delete(BigInt(of.session)).catch(() => undefined);
  }
  of.session = undefined;
}

function deleteChat(gone: Chat): void {
  void asking.get(gone)?.stop();
  dropSession(gone);
  chats.remove(gone);
  if (gone === chat) openChat(newChat());
  showChats();
  announce("Deleted");
}

// ---- answers ----

async function follow(turn: Turn, how: "run" | "resume"): Promise<void> {
  if (connection === undefined) return;
  const open = chat;
  const { answer } = turn;
  answer.canister = connection.canister;
  const one = new Asking(connection, open, turn, () => {
    const follows = atEnd();
    if (open === chat) views[open.turns.indexOf(turn)]?.update();
    if (open === chat && follows) toEnd();
    if (answer.job !== undefined && Date.now() > open.changed + kSaveMs) chats.save(open);
  });
  asking.set(open, one);
  composer.setWorking(true);
  announce("The canister is answering");
  await one[how]();
  asking.delete(open);
  if (open === chat) composer.setWorking(false);
  if (known !== undefined) {
    answer.module = known.moduleHash;
    const weights = known.status.model[0]?.sha256;
    if (weights !== undefined) answer.weights = hex(weights);
  }
  chats.save(open);
  announce(answer.failure === undefined ? `Answer: ${answer.text}` : "");
  composer.requote();
  refreshSoon(0);
}

function ask(question: string, settings: Settings): void {
  if (asking.has(chat)) return;
  if (connection === undefined) return void connectAgain();
  const turn: Turn = { question, answer: newAnswer(settings) };
  if (chat.turns.length === 0) {
    chat.title = question.length > 60 ? `${question.slice(0, 59)}…` : question;
    if (!chats.all.includes(chat)) chats.add(chat);
  }
  chat.turns.push(turn);
  composer.clear();
  showTurns();
  showChats();
  void follow(turn, "run");
}

// From `turn` on the chat is written anew; the canister's session cannot go back, so a new one is
// made of the text before it.
function askFrom(turn: Turn, question: string): void {
  if (asking.has(chat)) return;
  const at = chat.turns.indexOf(turn);
  if (at < 0) return;
  const untouched = turn.answer.job === undefined; // the session has nothing of it
  chat.turns.length = at;
  if (!untouched) dropSession(chat);
  ask(question, composer.settings());
}

function retry(turn: Turn): void {
  askFrom(turn, turn.question);
}
function edit(turn: Turn, question: string): void {
  askFrom(turn, question);
}

function resumeOpenAnswer(): void {
  const last = chat.turns.at(-1);
  if (last !== undefined && isWorking(last.answer) && !asking.has(chat) && connection !== undefined) void follow(last, "resume");
}

// ---- the canister ----

const composer = new Composer({
  ask,
  stop: () => void asking.get(chat)?.stop(),
  quote: async (question, settings) => {
    if (connection === undefined) throw new FailureError({ code: "offline", sentence: "Connecting to the canister…" });
    return quoteFor(connection, argumentsFor(connection, chat, chat.turns, question, settings));
  },
});

async function refresh(): Promise<void> {
  if (connection === undefined) return;
  const { model, canister, moduleHash } = connection;
  try {
    const [status, policy, module] = await Promise.all([model.status(), model.get_policy(), moduleHash(canister)]);
    known = { connection, status, policy, moduleHash: module };
    const context = status.model[0]?.n_ctx;
    if (context !== undefined) composer.setTokensMax(context - 1);
    showPill(status.state, stateText(status));
    showFacts(known, status.state === "ready" ? await exampleCost() : undefined);
    refreshSoon(status.state === "ready" ? kStatusMs : kStatusSoonMs);
  } catch (error) {
    const failure = failureOf(error);
    showPill("offline", failure.code === "offline" ? "no connection" : adviceOn(failure, { canister, principal: "" }).title);
    byId("pill").title = failure.sentence;
    refreshSoon(kStatusSoonMs);
  }
}

let exampleCycles: bigint | undefined;
async function exampleCost(): Promise<bigint | undefined> {
  if (exampleCycles !== undefined || connection === undefined) return exampleCycles;
  const args = argumentsFor(connection, newChat(), [], kExamples[0] ?? "", { ...composer.settings(), tokens: 10 });
  exampleCycles = await quoteFor(connection, args).then((quote) => quote.cycles_expected, () => undefined);
  return exampleCycles;
}

function refreshSoon(ms: number): void {
  clearTimeout(statusTimer);
  statusTimer = window.setTimeout(() => {
    if (document.visibilityState === "visible") void refresh();
  }, ms);
}

async function connectAgain(anonymous = readKept(kAnonymousKey) === "yes"): Promise<void> {
  try {
    const network = await import("./network");
    connection = await network.connect(anonymous);
    keep(kAnonymousKey, anonymous ? "yes" : "no");
  } catch (error) {
    const failure = failureOf(error);
    showPill("offline", failure.code === "no_model" ? "no model canister" : "no connection");
    byId("turns").replaceChildren(h("div", { class: "failure", role: "alert" },
      h("strong", {}, failure.code === "no_model" ? "This page has no canister to ask" : "The network cannot be reached"),
      h("p", { class: "sentence" }, failure.sentence),
      h("p", {}, failure.code === "no_model"
        ? "Deploy both canisters with icp, which names them to each other, or see docs/page.md."
        : "Reload the page to try again.")));
    return;
  }
  await refresh();
  resumeOpenAnswer();
  composer.requote();
}

// ---- menu and dialogs ----

const sidebar = byId("sidebar");
const narrow = matchMedia("(max-width: 820px)");

function setMenu(open: boolean): void {
  sidebar.classList.toggle("open", open);
  byId("veil").hidden = !open;
  byId("menu").setAttribute("aria-expanded", String(open));
  sidebar.toggleAttribute("inert", narrow.matches && !open);
  if (open) byId("new-chat").focus();
}
function closeMenu(): void {
  if (sidebar.classList.contains("open")) byId("menu").focus();
  setMenu(false);
}

function start(): void {
  startTheme();
  byId("examples").append(...kExamples.map((text) =>
    h("button", { type: "button", onclick: () => ask(text, composer.settings()) }, text)));
  byId("new-chat").addEventListener("click", () => {
    openChat(newChat());
    composer.prompt.focus();
  });
  byId("menu").addEventListener("click", () => setMenu(!sidebar.classList.contains("open")));
  byId("veil").addEventListener("click", closeMenu);
  narrow.addEventListener("change", () => setMenu(false));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector<HTMLDetailsElement>("details.menu[open]");
    if (open !== null) {
      open.open = false;
      open.querySelector("summary")?.focus();
    } else if (sidebar.classList.contains("open")) {
      closeMenu();
    }
  });
  document.addEventListener("click", ({ target }) => {
    for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")) {
      if (target instanceof Node && !menu.contains(target)) menu.open = false;
    }
  });
  for (const id of ["pill", "more"]) byId(id).addEventListener("click", () => showCard(known));
  byId("you").addEventListener("click", () => showYou(connection, known?.policy.open_to === "everyone", {
    become: (anonymous) => void connectAgain(anonymous),
    forget: () => void import("./network").then((network) => network.forgetKey()).then(() => connectAgain(false)),
  }));
  chats.onChange(() => {
    if (chats.merge(chat) && !asking.has(chat)) showTurns();
    showChats();
  });
  addEventListener("online", () => void refresh());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && refreshSoon(0));
  setMenu(false);
  showTurns();
  showChats();
  void connectAgain();
}

start();
