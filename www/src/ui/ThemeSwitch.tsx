import { prefs, type ThemeChoice, usePrefs } from "../app/prefs";
import { Icon } from "./Icon";

const NEXT: Record<ThemeChoice, ThemeChoice> = { system: "light", light: "dark", dark: "system" };
const WORDS: Record<ThemeChoice, string> = { system: "as the system", light: "light", dark: "dark" };

/** As the system, light, dark, and round again. */
export function ThemeSwitch() {
  const theme = usePrefs((state) => state.theme);
  return (
    <button
      type="button"
      className="button icon-button"
      aria-label={`Theme: ${WORDS[theme]}`}
      title={`Theme: ${WORDS[theme]}; press for ${WORDS[NEXT[theme]]}`}
      data-testid="theme"
      onClick={() => prefs.setState({ theme: NEXT[theme] })}
    >
      <Icon name={theme} />
    </button>
  );
}
