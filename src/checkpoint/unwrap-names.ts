/**
 * What training leaves around the names of a network's tensors: `module.` (data parallel), `_orig_mod.` (compiled),
 * `backbone.` (the encoder of a larger model), and Facebook's numbered chunks of blocks. Decided here for every format.
 */

/** Around every name or around none. */
const WRAPPERS = ['module.', '_orig_mod.'] as const
/** Around most names; the rest are heads that training needed. */
const BACKBONE = 'backbone.'

export interface Unwrapped<Stored> {
  /** By the names the network has, in the order given. */
  readonly tensors: ReadonlyMap<string, Stored>
  /** What was removed, such as `module.backbone.`. */
  readonly prefix: string
  /** Names in the file that are not part of the backbone. */
  readonly dropped: readonly string[]
}

/** `stored` is by the names in the file. */
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
  const names = flattenChunks(kept.map(([name]) => name.slice(prefix.length)))
  return { tensors: new Map(kept.map(([, tensor], index) => [names[index], tensor])), prefix, dropped }
}

/** The prefix that follows `prefix` in the names; a name that ends with it would be left without one of its own. */
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
 * `blocks.CHUNK.I.rest` becomes `blocks.I.rest`: Facebook's training keeps blocks in chunks and counts them through.
 * Where that does not hold (two chunks with a block of one number) the names stay as they are.
 */
function flattenChunks(names: readonly string[]): readonly string[] {
  const chunkOfBlock = new Map<string, string>()
  for (const name of names) {
    if (!name.startsWith('blocks.')) continue
    const match = /^blocks\.(\d+)\.(\d+)\../.exec(name)
    if (match === null) return names
    const [, chunk, block] = match
    if ((chunkOfBlock.get(block) ?? chunk) !== chunk) return names
    chunkOfBlock.set(block, chunk)
  }
  return names.map((name) => name.replace(/^blocks\.\d+\.(?=\d+\.)/, 'blocks.'))
}
