/** Canvases that write down what is done to them: the environment's have no context. */

/** A canvas of this density that writes down what is done to its context, numbers as a Float32Array holds them. */
export function canvasOf(density: number) {
  const done: unknown[][] = [];
  const told = (value: unknown) => (typeof value === "number" ? Math.fround(value) : value);
  const state: Record<string, unknown> = { getTransform: () => ({ a: density }) };
  const ctx = new Proxy(state, {
    get: (target, name: string) => target[name] ?? ((...args: unknown[]) => void done.push([name, ...args.map(told)])),
    set: (target, name: string, value) => {
      target[name] = value;
      done.push([name, told(value)]);
      return true;
    },
  }) as unknown as CanvasRenderingContext2D;
  const canvas = { width: 0, height: 0, getContext: () => ctx } as unknown as HTMLCanvasElement;
  return { canvas, ctx, done };
}
