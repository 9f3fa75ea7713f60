// Elements without markup strings: nothing that a model writes can become markup.

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | boolean | EventListener | undefined>;

// h("button", { class: "plain", onclick: stop, disabled: true }, "Stop")
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (typeof value === "string") element.setAttribute(name, value);
  }
  element.append(...children.filter((child): child is Node | string => child instanceof Node || typeof child === "string"));
  return element;
}

// The element of index.html with this id.
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`index.html has no #${id}`);
  return element as T;
}

export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

// Says it to screen readers.
export function announce(text: string): void {
  byId("announcer").textContent = text;
}

// A button that copies; it says so for a moment.
export function copyButton(label: string, text: () => string): HTMLButtonElement {
  const button = h("button", { type: "button", class: "small" }, label);
  button.addEventListener("click", () => {
    navigator.clipboard.writeText(text()).then(
      () => {
        setText(button, "Copied");
        announce("Copied");
        setTimeout(() => setText(button, label), 1500);
      },
      () => setText(button, "Cannot copy"),
    );
  });
  return button;
}

// For what cannot be undone: acts when it is pressed again.
export function buttonTwice(label: string, question: string, action: () => void): HTMLButtonElement {
  const button = h("button", { type: "button" }, label);
  button.addEventListener("click", () => {
    if (button.textContent === question) return action();
    setText(button, question);
    announce(question);
  });
  button.addEventListener("blur", () => setText(button, label));
  return button;
}

export function download(name: string, type: string, content: BlobPart): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
