// A context that writes down what it is told.
export type Call = [name: string, ...args: unknown[]];

/** Records method calls, with the fill style at the time for rectangles. */
export function recorder(): { ctx: CanvasRenderingContext2D; calls: Call[]; named(name: string): number[][] } {
  const calls: Call[] = [];
  const state: Record<string, unknown> = {};
  const ctx = new Proxy(state, {
    get: (target, name: string) => {
      if (name in target) return target[name];
      return (...args: unknown[]) => {
        calls.push([name, ...args]);
        return { addColorStop: () => undefined };
      };
    },
  });
  const named = (name: string) => calls.filter(([it]) => it === name).map(([, ...args]) => args as number[]);
  return { ctx: ctx as unknown as CanvasRenderingContext2D, calls, named };
}
