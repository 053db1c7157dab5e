/** A thread of the WebAssembly engine is started with this. It stands apart from what the package's types lead to, since Node's lack WebAssembly. */
export interface ThreadStart {
  readonly module: WebAssembly.Module
  /** Is null where the one thread makes its own. */
  readonly memory: WebAssembly.Memory | null
  readonly thread: number
  readonly threads: number
}

/** A thread sends this first, once all of its modules are loaded. */
export const STARTED = 'started'

const PAGES_OF_4_GIB = 65536

/** Makes an empty memory that may grow to all that 32 bits can address. */
export function newMemory(shared: boolean): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 1, maximum: PAGES_OF_4_GIB, shared })
}
