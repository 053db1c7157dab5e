/** Keeps sets of things that only ever grow together (Tarjan 1975, with halved paths and union by size). */
export class DisjointSets {
  readonly #parents: Int32Array
  readonly #sizes: Int32Array

  constructor(count: number) {
    this.#parents = Int32Array.from({ length: count }, (_, i) => i)
    this.#sizes = new Int32Array(count).fill(1)
  }

  /** Gives the one that stands for the set of `one`. */
  find(one: number): number {
    const parents = this.#parents
    let at = one
    while (parents[at] !== at) {
      parents[at] = parents[parents[at]]
      at = parents[at]
    }
    return at
  }

  /** Gives false where they are together already. */
  join(one: number, other: number): boolean {
    const [a, b] = [this.find(one), this.find(other)]
    if (a === b) return false
    const [large, small] = this.#sizes[a] >= this.#sizes[b] ? [a, b] : [b, a]
    this.#parents[small] = large
    this.#sizes[large] += this.#sizes[small]
    return true
  }

  sizeOf(one: number): number {
    return this.#sizes[this.find(one)]
  }
}
