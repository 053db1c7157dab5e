/**
 * A thread of the WebAssembly engine is started with this. It stands apart from what starts threads: a thread that imported that would name its own
 * file as a worker, and a bundler that follows workers would go round in this circle without an end.
 */
export interface ThreadStart {
  readonly module: WebAssembly.Module
  /** Null where the one thread makes its own. */
  readonly memory: WebAssembly.Memory | null
  readonly thread: number
  readonly threads: number
}

/** Pages have 64 KiB. Shared memory is reserved at once, and phones refuse what others have: less is tried then. */
const MOST_PAGES = [65536, 32768]
/** A browser that refuses even this has no memory for a model either, so its refusal is passed on. */
const FEWEST_PAGES = 16384

/** Makes an empty memory that may grow to all that 32 bits can address, or to what this browser allows. */
export function newMemory(shared: boolean): WebAssembly.Memory {
  for (const maximum of MOST_PAGES) {
    try {
      return new WebAssembly.Memory({ initial: 1, maximum, shared })
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
    }
  }
  return new WebAssembly.Memory({ initial: 1, maximum: FEWEST_PAGES, shared })
}
