import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { belongsToTarget } from "../src/app/useKeyboard";
import { useFrameCanvas } from "../src/canvas/useFrameCanvas";
import { SETTLING_MS } from "../src/lib/asked";
import { NumberField, parse } from "../src/ui/NumberField";

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;

const element = (html: string) => {
  document.body.innerHTML = html;
  return document.body.querySelector("[data-it]")!;
};

describe("keys", () => {
  it("leave typing and choosing alone", () => {
    for (const html of ["<input data-it>", "<select data-it></select>", "<div role=dialog><p data-it></p></div>"]) {
      expect(belongsToTarget("m", element(html), true)).toBe(true);
    }
    expect(belongsToTarget("m", element("<button data-it>x</button>"), true)).toBe(false);
  });

  it("give Space to a button that was reached by keyboard, not to one that was clicked", () => {
    const button = element("<button data-it>x</button>");
    expect(belongsToTarget(" ", button, true)).toBe(true);
    expect(belongsToTarget(" ", button, false)).toBe(false);
  });

  it("give Home to sliders", () => {
    expect(belongsToTarget("Home", element("<div role=slider data-it></div>"), false)).toBe(true);
    expect(belongsToTarget("Home", element("<p data-it></p>"), false)).toBe(false);
  });
});

describe("NumberField", () => {
  let host: HTMLElement;
  let root: Root;
  const onCommit = vi.fn();

  beforeEach(() => {
    host = document.createElement("div");
    document.body.replaceChildren(host);
    onCommit.mockClear();
    act(() => {
      root = createRoot(host);
      root.render(
        <NumberField label="Tempo" value={120} min={20} max={400} step={1} digits={2} onCommit={onCommit} />,
      );
    });
  });
  afterEach(() => document.body.replaceChildren());

  const field = () => host.querySelector("input")!;
  const type = (text: string) =>
    act(() => {
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")!.set!.call(field(), text);
      field().dispatchEvent(new Event("input", { bubbles: true }));
    });
  const press = (key: string, more: KeyboardEventInit = {}) =>
    act(() => {
      field().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
    });

  it("commits on Enter, not before, and inside the range", () => {
    type("900");
    expect(onCommit).not.toHaveBeenCalled();
    press("Enter");
    expect(onCommit).toHaveBeenCalledExactlyOnceWith(400);
  });

  it("takes a draft back on Escape", () => {
    type("99");
    press("Escape");
    expect(field().value).toBe("120");
    press("Enter");
    expect(onCommit).not.toHaveBeenCalled();
  });

  it("steps by arrows, from what was asked for last", () => {
    press("ArrowUp");
    expect(field().value).toBe("121");
    press("ArrowDown", { shiftKey: true });
    expect(onCommit.mock.calls).toEqual([[121], [111]]);
  });

  it("shows what was committed until it is answered, and then what is", async () => {
    vi.useFakeTimers();
    let answer: () => void = () => undefined;
    onCommit.mockImplementationOnce(() => new Promise<void>((done) => (answer = done)));
    press("ArrowUp");
    await act(() => vi.advanceTimersByTimeAsync(60_000));
    expect(field().value).toBe("121");
    answer();
    // It came to nothing: the value that the field is given has stayed.
    await act(() => vi.advanceTimersByTimeAsync(SETTLING_MS));
    expect(field().value).toBe("120");
    vi.useRealTimers();
  });

  it("shows what is at once when nothing was changed, and when what was committed has come and something else after it", async () => {
    onCommit.mockResolvedValueOnce(false);
    press("ArrowUp");
    await act(async () => undefined);
    expect(field().value).toBe("120");
    onCommit.mockReturnValueOnce(new Promise(() => undefined));
    press("ArrowUp");
    expect(field().value).toBe("121");
    for (const value of [121, 90]) {
      act(() => root.render(<NumberField label="Tempo" value={value} min={20} max={400} step={1} digits={2} onCommit={onCommit} />));
      expect(field().value).toBe(String(value));
    }
  });

  it("is empty as long as nothing is known", () => {
    act(() => root.render(<NumberField label="Tempo" value={null} min={20} max={400} step={1} digits={2} onCommit={onCommit} />));
    expect(field()).toMatchObject({ value: "", disabled: true });
    expect(field().hasAttribute("aria-valuenow")).toBe(false);
  });

  it("refuses what is no number", () => {
    expect(parse("fast", 20, 400)).toBeNull();
    expect(parse("", 20, 400)).toBeNull();
    expect(parse("97,5", 20, 400)).toBe(97.5);
  });
});

describe("a canvas of frames", () => {
  it("paints what looks new, also to what was painted between frames", async () => {
    const rect = vi.spyOn(HTMLCanvasElement.prototype, "getBoundingClientRect").mockReturnValue({ width: 9, height: 9 } as DOMRect);
    const context = vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue({ setTransform: vi.fn(), clearRect: vi.fn() } as never);
    let emit: (isLit: boolean) => void = () => undefined;
    const subscribe = (cb: (isLit: boolean) => void) => {
      emit = cb;
      return () => undefined;
    };
    const painted: boolean[] = [];
    let isLit = false;
    let repaint = () => {};
    function Light() {
      const it = useFrameCanvas<boolean>(subscribe, () => painted.push(isLit), (frame) => (isLit = frame), () => String(isLit));
      ({ repaint } = it);
      return <canvas ref={it.canvas} />;
    }
    const root = createRoot(document.body.appendChild(document.createElement("div")));
    await act(async () => root.render(<Light />));
    painted.length = 0;
    emit(true);
    emit(true);
    expect(painted).toEqual([true]);
    // Somebody puts it out by hand.
    isLit = false;
    repaint();
    emit(true);
    expect(painted).toEqual([true, false, true]);
    await act(async () => root.unmount());
    rect.mockRestore();
    context.mockRestore();
  });
});
