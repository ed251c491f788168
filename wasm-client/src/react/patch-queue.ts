// Patches of the same thing, one request at a time; those that come meanwhile are merged into the next.

interface Queue<P> {
  next: P | null;
  running: Promise<void> | null;
}

/** A function that sends patches by id. `settled` hears of every request's end. */
export function createPatchQueue<P extends object>(
  send: (id: string, patch: P) => Promise<unknown>, settled: (failure: Error | null) => void,
): (id: string, patch: P) => Promise<void> {
  const queues = new Map<string, Queue<P>>();

  async function run(id: string, queue: Queue<P>): Promise<void> {
    try {
      while (queue.next) {
        const patch = queue.next;
        queue.next = null;
        await send(id, patch);
      }
      settled(null);
    } catch (thrown) {
      const failure = thrown instanceof Error ? thrown : new Error(String(thrown));
      settled(failure);
      throw failure;
    } finally {
      queues.delete(id);
    }
  }

  return (id, patch) => {
    const queue: Queue<P> = queues.get(id) ?? { next: null, running: null };
    queues.set(id, queue);
    queue.next = { ...queue.next, ...patch } as P;
    queue.running ??= run(id, queue);
    return queue.running;
  };
}
