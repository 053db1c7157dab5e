/** Reads several sequences at once and gives their items one sequence after the other: each waits for answers of a slow place, and together they wait once. */

/** Says how far is read ahead. */
export interface TurnLimits {
  /** Counts the sequences that are read together. */
  readonly atOnce: number
  /** Counts the items of each that wait for their turn. */
  readonly items: number
}

/** Errors come in their turn as well. Whoever leaves early aborts the signal that the sequences are given. */
export async function* inTurn<Item>(
  sequences: readonly ((signal: AbortSignal) => AsyncIterable<Item>)[],
  { atOnce, items }: TurnLimits,
): AsyncGenerator<Item> {
  const stop = new AbortController()
  const started: Ahead<Item>[] = []
  try {
    for (const [at, sequence] of sequences.entries()) {
      for (let next = started.length; next < Math.min(at + atOnce, sequences.length); next++)
        started.push(new Ahead((sequences[next] ?? sequence)(stop.signal), items))
      const ahead = started[at]
      if (ahead !== undefined) yield* ahead.items()
      // What has been given is not kept.
      delete started[at]
    }
  } finally {
    stop.abort(new Error('no more rows are wanted'))
    for (const ahead of started) ahead?.leave()
  }
}

class Ahead<Item> {
  readonly #waiting: Item[] = []
  readonly #most: number
  #isDone = false
  #hasLeft = false
  #error: { readonly cause: unknown } | null = null
  #wake = () => {}

  constructor(items: AsyncIterable<Item>, most: number) {
    this.#most = most
    void this.#read(items)
  }

  async *items(): AsyncGenerator<Item> {
    for (;;) {
      const next = this.#waiting.shift()
      if (next !== undefined) {
        this.#wake()
        yield next
      } else if (this.#error !== null) throw this.#error.cause
      else if (this.#isDone) return
      else await this.#change()
    }
  }

  leave(): void {
    this.#hasLeft = true
    this.#wake()
  }

  async #read(items: AsyncIterable<Item>): Promise<void> {
    try {
      for await (const item of items) {
        this.#waiting.push(item)
        this.#wake()
        while (this.#waiting.length >= this.#most && !this.#hasLeft) await this.#change()
        if (this.#hasLeft) return
      }
    } catch (cause) {
      this.#error = { cause }
    }
    this.#isDone = true
    this.#wake()
  }

  /** Only one side waits at a time: the reader for room, whoever takes for an item. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}
