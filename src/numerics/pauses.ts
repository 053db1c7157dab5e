/** Lets an event loop have its turns within long work, which would otherwise hold up whatever shares the thread. */

/** After so long, others have their turn: a page then still draws and answers. */
const LONGEST_MS = 40

/** Gives a function that long work awaits now and then: it rejects with the signal's reason, and leaves the thread to others where it is time. */
export function pausesFor(signal: AbortSignal | undefined): () => Promise<void> {
  let last = performance.now()
  return async () => {
    signal?.throwIfAborted()
    if (performance.now() - last < LONGEST_MS) return
    await new Promise<void>((resolve) => setTimeout(resolve, 0))
    signal?.throwIfAborted()
    last = performance.now()
  }
}
