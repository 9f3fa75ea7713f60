// A chat as a file: for people (Markdown) and for programs (JSON).
import type { Chat } from "./chats";
import { statsText } from "./answer-view";
import { download } from "./dom";

function fileName(chat: Chat, ending: string): string {
  const words = chat.title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 40);
  return `${words || "chat"}.${ending}`;
}

export function markdownOf(chat: Chat): string {
  const turns = chat.turns.map(({ question, answer }) => {
    const parts = [`## ${question}`, answer.text];
    if (answer.failure !== undefined) parts.push(`> ${answer.failure.sentence}`);
    const stats = [statsText(answer), answer.seed && `seed ${answer.seed}`, answer.module && `wasm ${answer.module}`];
    parts.push(`*${stats.filter(Boolean).join(" · ")}*`);
    return parts.join("\n\n");
  });
  return [`# ${chat.title}`, new Date(chat.created).toISOString(), ...turns].join("\n\n") + "\n";
}

export function exportMarkdown(chat: Chat): void {
  download(fileName(chat, "md"), "text/markdown", markdownOf(chat));
}

export function exportJson(chat: Chat): void {
  download(fileName(chat, "json"), "application/json", JSON.stringify(chat, null, 2) + "\n");
}
