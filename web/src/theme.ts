// Light, dark, or as the system has it.
import { byId, setText } from "./dom";
import { keep, readKept } from "./kept";

const kKey = "gpt2ic.theme";
const kThemes = ["system", "light", "dark"] as const;
type Theme = (typeof kThemes)[number];

function kept(): Theme {
  const text = readKept(kKey);
  return kThemes.find((theme) => theme === text) ?? "system";
}

function apply(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  setText(byId("theme"), `Theme: ${theme}`);
}

export function startTheme(): void {
  let theme = kept();
  apply(theme);
  byId("theme").addEventListener("click", () => {
    theme = kThemes[(kThemes.indexOf(theme) + 1) % kThemes.length] ?? "system";
    apply(theme);
    keep(kKey, theme);
  });
}
