/**
 * Removes what training leaves around the names of a network's tensors: `module.` (data parallel), `_orig_mod.` (compiled),
 * `backbone.` (the encoder of a larger model), and Facebook's numbered chunks of blocks. This is decided here for every format.
 */

/** These stand around every name or around none. */
const WRAPPERS = ['module.', '_orig_mod.'] as const
/** This stands around most names; the rest are heads that training needed. */
const BACKBONE = 'backbone.'

interface Unwrapped<Stored> {
  /** Holds them by the names that the network has, in the order given. */
  readonly tensors: ReadonlyMap<string, Stored>
  /** Is what was removed, such as `module.backbone.`. */
  readonly wrapping: string
  /** Lists the names in the file that are not part of the backbone. */
  readonly dropped: readonly string[]
}

/** `stored` has the names of the file. */
export function unwrapNames<Stored>(stored: ReadonlyMap<string, Stored>): Unwrapped<Stored> {
  let kept = [...stored]
  const dropped: string[] = []
  let prefix = ''
  for (;;) {
    const next = nextPrefixOrNull(kept, prefix)
    if (next === null) break
    prefix += next
    for (const [name] of kept) if (!name.startsWith(prefix)) dropped.push(name)
    kept = kept.filter(([name]) => name.startsWith(prefix))
  }
  const inner = kept.map(([name, tensor]) => [name.slice(prefix.length), tensor] as const)
  const chunked = isChunked(inner.map(([name]) => name))
  const tensors = new Map(inner.map(([name, tensor]) => [chunked ? withoutChunk(name) : name, tensor]))
  return { tensors, wrapping: prefix, dropped }
}

/** Finds the prefix that follows `prefix` in the names. A name that ends with it does not count: it would be left without one of its own. */
function nextPrefixOrNull(tensors: readonly (readonly [string, unknown])[], prefix: string): string | null {
  const sharing = (next: string) => {
    const whole = prefix + next
    return tensors.filter(([name]) => name.startsWith(whole) && name.length > whole.length).length
  }
  for (const wrapper of WRAPPERS) {
    if (tensors.length > 0 && sharing(wrapper) === tensors.length) return wrapper
  }
  return sharing(BACKBONE) * 2 > tensors.length ? BACKBONE : null
}

/**
 * Facebook's training keeps blocks in chunks and counts them through, as `blocks.CHUNK.I.rest`. Where that does not hold (two
 * chunks with a block of one number) the chunks must stay, or two tensors would have one name.
 */
function isChunked(names: readonly string[]): boolean {
  const chunkOfBlock = new Map<string, string>()
  for (const name of names) {
    if (!name.startsWith('blocks.')) continue
    const [, chunk, block] = /^blocks\.(\d+)\.(\d+)\../.exec(name) ?? []
    if (chunk === undefined || block === undefined) return false
    if ((chunkOfBlock.get(block) ?? chunk) !== chunk) return false
    chunkOfBlock.set(block, chunk)
  }
  return true
}

function withoutChunk(name: string): string {
  return name.replace(/^blocks\.\d+\.(?=\d+\.)/, 'blocks.')
}
