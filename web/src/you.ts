// The dialog about who is asking: the key of this browser, or nobody.
import { buttonTwice, byId, copyButton, h } from "./dom";
import type { Connection } from "./network";

export interface YouActions {
  // Connects anew, as the kept key or anonymously.
  become(anonymous: boolean): void;
  forget(): void;
}

export function showYou(connection: Connection | undefined, anonymousAllowed: boolean, actions: YouActions): void {
  const dialog = byId<HTMLDialogElement>("identity");
  const act = (label: string, action: () => void, allowed = true): HTMLElement =>
    h("button", { type: "button", disabled: !allowed, onclick: () => {
      dialog.close();
      action();
    } }, label);
  const close = h("button", { type: "button", class: "quiet close", onclick: () => dialog.close() }, "Close");
  dialog.replaceChildren(h("div", { class: "dialog-head" }, h("h2", { id: "identity-title" }, "Who is asking"), close));
  if (connection === undefined) {
    dialog.append(h("p", {}, "The page is not connected."));
  } else if (connection.anonymous) {
    dialog.append(
      h("p", {}, "You ask anonymously: without a key. Chats of all anonymous callers belong to the same principal, so others may read them."),
      h("div", { class: "row" }, act("Use this browser's key", () => actions.become(false))));
  } else {
    dialog.append(
      h("p", {}, connection.keyIsKept
        ? "This browser has made a key and keeps it; it cannot be read, only used. To the canister you are:"
        : "This browser cannot keep a key; you have one until you close the page. To the canister you are:"),
      h("div", { class: "command" }, h("code", {}, connection.principal), copyButton("Copy", () => connection.principal)),
      h("div", { class: "row" },
        act("Ask anonymously", () => actions.become(true), anonymousAllowed),
        buttonTwice("Make a new key", "Really give up this key?", () => {
          dialog.close();
          actions.forget();
        })),
      h("p", { class: "note" }, anonymousAllowed
        ? "A new key is a new caller: the canister's sessions of the old one are out of reach. The chats' texts stay in this browser."
        : "The owner of this canister does not let anonymous callers ask. A new key is a new caller: the sessions of the old one are out of reach."));
  }
  dialog.showModal();
}
