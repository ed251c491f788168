// What pictures read of their attributes, what each may be, and what it is where the attribute makes no sense.
import { AntiphonError } from "../errors.ts";

/** A value that attributes say. */
export interface Setting<V> {
  /** Where they say none. */
  readonly fallback: V;
  /** Throws an AntiphonError that says what is allowed. */
  read(element: Element): V;
}

/** A number between two bounds. */
export function numberSetting(name: string, fallback: number, min: number, max: number): Setting<number> {
  return {
    fallback,
    read(element) {
      const text = element.getAttribute(name);
      if (text === null) return fallback;
      const value = text.trim() === "" ? Number.NaN : Number(text);
      if (value >= min && value <= max) return value;
      throw wrong(`${name}=${JSON.stringify(text)} is not a number from ${min} to ${max}`, `leave it out for ${fallback}`);
    },
  };
}

/** One of several words, the first of them without the attribute. */
export function wordSetting<const W extends string>(name: string, words: readonly W[]): Setting<W> {
  const fallback = words[0]!;
  return {
    fallback,
    read(element) {
      const text = element.getAttribute(name) ?? fallback;
      const word = words.find((it) => it === text);
      if (word) return word;
      throw wrong(`${name}=${JSON.stringify(text)} is not known`, `use one of ${words.join(", ")}`);
    },
  };
}

/** Bottom and top of a scale. */
export interface Levels {
  minDb: number;
  maxDb: number;
}

/** `min-db` and `max-db`. */
export function levelsSetting(fallback: Levels): Setting<Levels> {
  const bottom = numberSetting("min-db", fallback.minDb, -1000, 1000);
  const top = numberSetting("max-db", fallback.maxDb, -1000, 1000);
  return {
    fallback,
    read(element) {
      const [minDb, maxDb] = [bottom.read(element), top.read(element)];
      if (minDb < maxDb) return { minDb, maxDb };
      throw wrong(`min-db, ${minDb}, is not below max-db, ${maxDb}`, "give a lower min-db or a higher max-db");
    },
  };
}

function wrong(message: string, hint: string): AntiphonError {
  return new AntiphonError("invalid-attribute", message, hint);
}
