/**
 * Chooses the network of a checkpoint and gives its tensors the names that the network itself has: what training puts around them is
 * removed, and Facebook's numbered chunks of blocks. This is decided here for every format.
 */
import type { NetworkChoice } from './checkpoint.js'
import { CheckpointError } from './checkpoint-error.js'
import { choosePlace } from './choose-place.js'
import { asInFile, entryName, networkPlaces, tensorPlaces, withoutTransparent } from './network-places.js'

export interface ChosenNetwork<Stored> {
  /** Holds them by the names that the network has, in the order given. */
  readonly tensors: ReadonlyMap<string, Stored>
  /** Is what was removed, such as `state_dict/module.backbone.`, less a slash at its end. */
  readonly wrapping: string
  /** Holds the keys of the dicts that lead to the tensors: `state_dict` of `state_dict/module.`. */
  readonly keys: readonly string[]
  /** Says why it is this network; null where the file holds no other and nobody named it. */
  readonly choice: NetworkChoice | null
  /** Lists the names beside it in the same dict, other networks by their places. */
  readonly dropped: readonly string[]
}

interface ChooseOptions {
  /** Names the file in errors. */
  readonly label: string
  /** Names the network, where a file holds several. */
  readonly entry?: string | undefined
  /** Is true for a file of MMEngine. */
  readonly fromMmengine?: boolean
}

/** `stored` has full names (network-places.ts); where there are none, there is nothing to choose. Throws `ambiguous-entry`, `not-found`. */
export function chooseNetwork<Stored>(
  stored: ReadonlyMap<string, Stored>,
  options: ChooseOptions,
): ChosenNetwork<Stored> {
  if (stored.size === 0) return { tensors: stored, wrapping: '', keys: [], choice: null, dropped: [] }
  const named = withPlainNames(stored)
  const names = [...named.keys()]
  const found = networkPlaces(names)
  const places = found.length > 0 ? found : tensorPlaces(names)
  if (places.length === 0) throw nothingButOptimiser(options.label)
  const { place, reason } = choosePlace(places, options)
  const whole = found.length > 0 ? place : place + wrapperOf(names, place)
  const kept = names.filter((name) => isInside(name, whole))
  const inner = kept.map((name) => name.slice(whole.length))
  const chunked = isChunked(inner)
  const tensors = new Map<string, Stored>()
  for (const [index, name] of kept.entries()) {
    const own = inner[index] ?? name
    const entry = named.get(name)
    if (entry !== undefined) tensors.set(asInFile(chunked ? withoutChunk(own) : own), entry.tensor)
  }
  const dict = place.slice(0, place.lastIndexOf('/') + 1)
  const others = places.filter((other) => other !== place)
  return {
    tensors,
    wrapping: asInFile(shownWrapping(kept[0], whole, named)),
    keys: dict.split('/').slice(0, -1).map(asInFile),
    choice:
      reason === null
        ? null
        : {
            entry: entryName(whole),
            others: others.map(entryName),
            reason,
            asked: options.entry !== undefined,
          },
    dropped: besides(names, dict, whole, others).map(asInFile),
  }
}

interface Named<Stored> {
  /** Is the name in the file. */
  readonly original: string
  readonly tensor: Stored
}

/** Where two tensors would get one name, all keep the names of the file. */
function withPlainNames<Stored>(stored: ReadonlyMap<string, Stored>): ReadonlyMap<string, Named<Stored>> {
  const plain = new Map<string, Named<Stored>>()
  for (const [original, tensor] of stored) plain.set(withoutTransparent(original), { original, tensor })
  if (plain.size === stored.size) return plain
  return new Map([...stored].map(([original, tensor]) => [original, { original, tensor }]))
}

function nothingButOptimiser(label: string): CheckpointError {
  return new CheckpointError(
    'malformed',
    `${label} holds the state of an optimiser and no network. Is it what was saved beside the model, to go on training?`,
  )
}

/** A file of no known network is at least freed of what stands around every name, so that its own names are shown. */
function wrapperOf(names: readonly string[], place: string): string {
  const inside = names.filter((name) => name.startsWith(place))
  let wrapper = ''
  for (;;) {
    const next = ['module.', 'backbone.'].find((word) => {
      const sharing = inside.filter((name) => {
        const whole = place + wrapper + word
        return name.startsWith(whole) && name.length > whole.length
      }).length
      return word === 'module.' ? sharing === inside.length : sharing * 2 > inside.length
    })
    if (next === undefined) return wrapper
    wrapper += next
  }
}

/** The wrapping is shown as the file has it, with what stands in the names of compiled and sharded modules. */
function shownWrapping<Stored>(
  first: string | undefined,
  whole: string,
  named: ReadonlyMap<string, Named<Stored>>,
): string {
  const original = first === undefined ? undefined : named.get(first)?.original
  const inner = first?.slice(whole.length)
  const shown =
    original !== undefined && inner !== undefined && original.endsWith(inner)
      ? original.slice(0, -inner.length)
      : whole
  return shown.replace(/\/$/, '')
}

/** A name that has a further dict in it belongs to another place. */
function isInside(name: string, place: string): boolean {
  return name.startsWith(place) && name.length > place.length && !name.slice(place.length).includes('/')
}

/** Names what is left aside: tensors beside the network by their own names, other networks by their places, other dicts by their keys. */
function besides(
  names: readonly string[],
  dict: string,
  whole: string,
  others: readonly string[],
): readonly string[] {
  const dropped = new Set<string>()
  for (const name of names) {
    if (isInside(name, whole)) continue
    if (isInside(name, dict)) {
      const network = others.find((other) => other.length > dict.length && isInside(name, other))
      dropped.add((network ?? name).slice(dict.length))
    } else {
      dropped.add(firstKeyOutside(name, dict))
    }
  }
  return [...dropped]
}

/** Gives the keys up to the first one that does not lead to the network: `model/student` of `model/student/x`. */
function firstKeyOutside(name: string, dict: string): string {
  const ours = dict.split('/')
  const keys = name.split('/').slice(0, -1)
  const first = keys.findIndex((key, index) => key !== ours[index])
  return first === -1 ? name : keys.slice(0, first + 1).join('/')
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
