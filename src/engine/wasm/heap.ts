/** Hands out pieces of a WebAssembly memory, takes them back, and lets the memory grow when none is large enough. */

/** Says what is needed of a `WebAssembly.Memory`. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer
  /** Throws RangeError where the system or the limit refuses. */
  grow(pages: number): number
}

const PAGE = 65536
/** Is a cache line, within which vectors are aligned. */
const UNIT = 64
/** Addresses have 32 bits. */
export const MOST_BYTES = 2 ** 32

interface Piece {
  readonly address: number
  readonly bytes: number
}

export class Heap {
  readonly #memory: WasmMemory
  /** Is sorted by address; no two of them touch. */
  #free: Piece[]
  readonly #taken = new Map<number, number>()

  /** @param from the first address that may be handed out */
  constructor(memory: WasmMemory, from: number) {
    this.#memory = memory
    const start = up(from, UNIT)
    this.#free = [{ address: start, bytes: memory.buffer.byteLength - start }]
  }

  /** Gives the address, a multiple of 64, of bytes that are not cleared; null where the memory cannot grow that far. */
  allocateOrNull(bytes: number): number | null {
    const wanted = up(Math.max(bytes, 1), UNIT)
    const fits = (piece: Piece) => piece.bytes >= wanted
    let index = this.#free.findIndex(fits)
    if (index < 0 && this.#grow(wanted)) index = this.#free.findLastIndex(fits)
    const [piece] = index < 0 ? [] : this.#free.slice(index)
    if (piece === undefined) return null
    const { address, bytes: room } = piece
    const rest = room > wanted ? [{ address: address + wanted, bytes: room - wanted }] : []
    this.#free.splice(index, 1, ...rest)
    this.#taken.set(address, wanted)
    return address
  }

  /** Gives back what was handed out at this address. */
  release(address: number): void {
    const bytes = this.#taken.get(address)
    if (bytes === undefined) return
    this.#taken.delete(address)
    const pieces = [...this.#free, { address, bytes }].sort((a, b) => a.address - b.address)
    this.#free = []
    for (const piece of pieces) {
      const last = this.#free.at(-1)
      if (last !== undefined && last.address + last.bytes === piece.address) {
        this.#free[this.#free.length - 1] = { address: last.address, bytes: last.bytes + piece.bytes }
      } else this.#free.push(piece)
    }
  }

  /** Lets the memory grow until the last free piece has room. */
  #grow(wanted: number): boolean {
    const end = this.#memory.buffer.byteLength
    const last = this.#free.at(-1)
    const joins = last !== undefined && last.address + last.bytes === end
    const pages = Math.ceil((wanted - (joins ? last.bytes : 0)) / PAGE)
    if (end + pages * PAGE > MOST_BYTES) return false
    try {
      this.#memory.grow(pages)
    } catch {
      return false
    }
    if (joins) this.#free.pop()
    const address = joins ? last.address : end
    this.#free.push({ address, bytes: end + pages * PAGE - address })
    return true
  }
}

function up(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit
}
