/**
 * Puts photos that show the same into groups. A group is a star: one copy is kept, and each other is held against it and against nothing else, so that no chain of steps, each of
 * which is small, joins what is far apart. Files of the same pixels count as one picture throughout. What people have called different never comes together.
 */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import type { PictureProof } from '../../numerics/same-picture.js'
import type { Copy } from './copy.js'
import type { Different } from './decisions.js'
import { byKeepRules, KEEP_RULES, type KeepRule } from './keep-rules.js'

/** Names how alike two photos are, the surest first. */
export const DUPLICATE_KINDS = ['identical', 'same-pixels', 'same-picture', 'near', 'alike'] as const

/**
 * Is `identical` (the same bytes), `same-pixels` (files that differ in metadata alone), `same-picture` (proven by laying one over the other), `near` (bursts and variants) or
 * `alike`.
 */
export type DuplicateKind = (typeof DUPLICATE_KINDS)[number]

/** Says how alike two photos of different pixels are. */
export interface DuplicatePair {
  /** Numbers the one among the copies. */
  readonly first: number
  /** Numbers the other. */
  readonly second: number
  /** Says how alike they are. */
  readonly kind: Exclude<DuplicateKind, 'identical' | 'same-pixels'>
  /** Is the cosine of their embeddings. */
  readonly similarity: number
  /** Says in words what each is beside the other. */
  readonly words?: {
    /** Says what the first is beside the second. */
    readonly first: string
    /** Says what the second is beside the first. */
    readonly second: string
  }
  /** Says which was made of the other, by enlarging, cutting or marking it or taking its colours; null where that cannot be told. */
  readonly made?: 'first' | 'second' | null
  /** Says which shows all that the other does, in no less detail. */
  readonly covers?: {
    /** Says that the first shows all of the second. */
    readonly first: boolean
    /** Says that the second shows all of the first. */
    readonly second: boolean
  }
  /** Says how the one lies in the other. */
  readonly proof?: PictureProof
}

/** Is a photo of a group, held against the one that is kept. */
export interface GroupMember {
  /** Is the photo. */
  readonly copy: Copy
  /** Says how it is like the kept one. */
  readonly kind: DuplicateKind
  /** Is the cosine of its embedding and the kept one's; 1 for the same pixels. */
  readonly similarity: number
  /** Says in words what was proven; empty for `near` and `alike`. */
  readonly words: string
  /** Tells whether the kept copy has all of it, so that it may go. */
  readonly proposed: boolean
  /** Says how the two lie in each other, where that was proven; `kept` says which of the two the kept copy is. */
  readonly proof?: PictureProof & {
    /** Says which of the two the kept copy is. */
    readonly kept: 'first' | 'second'
  }
}

/** Is a photo that is kept, and those that are like it. */
export interface DuplicateGroup {
  /** Is the copy to keep; of photos that are only near or alike, the one that the others are held against. */
  readonly kept: Copy
  /** Lists the others, the most alike first. */
  readonly members: readonly GroupMember[]
  /** Is the lowest similarity of a member with the kept copy. */
  readonly lowest: number
  /** Says whether members are copies of the kept one, or only near or alike. */
  readonly kind: 'copies' | 'near' | 'alike'
}

/** Says how groups are made. */
export interface GroupOptions {
  /** Says which copy is kept; default `KEEP_RULES`. */
  readonly rules?: readonly KeepRule[]
  /** Knows what people have called different. */
  readonly different?: Different
}

const OPTIONS = { rules: true, different: true } satisfies OptionNames<GroupOptions>

/** Holds copies of the same pixels, the one to keep first. */
interface Picture {
  readonly copies: readonly Copy[]
  readonly links: Map<Picture, Link>
  isMade: boolean
}

/** Is a pair, seen from the picture whose links it is among. */
interface Link {
  readonly pair: DuplicatePair
  /** Says which of the pair the picture that it leads to is. */
  readonly to: 'first' | 'second'
}

/** Throws RangeError for a rule, or an option, that there is not. Makes groups: first those of copies, then of the photos that are left, with the kept ones, those that are near, then alike. */
export function groupDuplicates(
  copies: readonly Copy[],
  pairs: readonly DuplicatePair[],
  options: GroupOptions = {},
): readonly DuplicateGroup[] {
  checkOptionNames(options, OPTIONS)
  const { rules = KEEP_RULES, different } = options
  const compare = byKeepRules(rules)
  const pictures = picturesOf(copies, compare)
  for (const pair of pairs) link(pair, copies, pictures)
  const all = [...new Set(pictures.values())].sort(
    (a, b) => Number(a.isMade) - Number(b.isMade) || compare(first(a), first(b)),
  )
  const groups: DuplicateGroup[] = []
  let left: readonly Picture[] = all
  for (const kind of ['copies', 'near', 'alike'] as const) {
    const stars = starsOf(left, kind, different)
    groups.push(...stars.flatMap((star) => groupOf(star, kind, different)))
    const gone = new Set(stars.flatMap(({ others }) => others))
    left = left.filter((picture) => !gone.has(picture))
  }
  return groups
}

function picturesOf(copies: readonly Copy[], compare: (a: Copy, b: Copy) => number): Map<string, Picture> {
  const by = new Map<string, Copy[]>()
  for (const copy of copies) {
    const same = by.get(copy.pixels)
    if (same === undefined) by.set(copy.pixels, [copy])
    else same.push(copy)
  }
  return new Map(
    [...by].map(([pixels, same]) => [
      pixels,
      { copies: same.sort(compare), links: new Map(), isMade: false },
    ]),
  )
}

function link(pair: DuplicatePair, copies: readonly Copy[], pictures: ReadonlyMap<string, Picture>): void {
  const [a, b] = [pair.first, pair.second].map((at) => pictures.get(copies[at]?.pixels ?? ''))
  if (a === undefined || b === undefined)
    throw new RangeError(`There is no copy ${pair.first} or ${pair.second}.`)
  if (a === b) return
  const rank = (one: DuplicatePair | undefined) =>
    one === undefined ? DUPLICATE_KINDS.length : DUPLICATE_KINDS.indexOf(one.kind)
  if (rank(a.links.get(b)?.pair) <= rank(pair)) return
  a.links.set(b, { pair, to: 'second' })
  b.links.set(a, { pair, to: 'first' })
  if (pair.made === 'first') a.isMade = true
  if (pair.made === 'second') b.isMade = true
}

interface Star {
  readonly centre: Picture
  readonly others: readonly Picture[]
}

/** Takes pictures in their order; each that nobody has yet gets those that are linked to it. */
function starsOf(
  pictures: readonly Picture[],
  kind: DuplicateGroup['kind'],
  different: Different | undefined,
): readonly Star[] {
  const free = new Set(pictures)
  return pictures.flatMap((centre) => {
    if (!free.delete(centre)) return []
    const linked = [...centre.links]
      .filter(([other, { pair }]) => free.has(other) && isOf(pair.kind, kind))
      .sort(([, a], [, b]) => b.pair.similarity - a.pair.similarity)
    const others: Picture[] = []
    for (const [other] of linked)
      if ([centre, ...others].every((one) => !areDifferent(one, other, different))) others.push(other)
    for (const other of others) free.delete(other)
    return others.length > 0 || (kind === 'copies' && centre.copies.length > 1) ? [{ centre, others }] : []
  })
}

function isOf(kind: DuplicatePair['kind'], group: DuplicateGroup['kind']): boolean {
  return group === 'copies' ? kind === 'same-picture' : kind === group
}

function areDifferent(a: Picture, b: Picture, different: Different | undefined): boolean {
  if (different === undefined) return false
  return a.copies.some((one) => b.copies.some((other) => different.has(one.content, other.content)))
}

function groupOf({ centre, others }: Star, kind: DuplicateGroup['kind'], different: Different | undefined) {
  const kept = first(centre)
  const same =
    kind === 'copies'
      ? centre.copies.slice(1).filter(({ content }) => different?.has(content, kept.content) !== true)
      : []
  const members = [
    ...same.map((copy) => exactMember(copy, kept)),
    ...others.flatMap((other) => membersOf(centre, other, kind)),
  ]
  if (members.length === 0) return []
  return [{ kept, members, lowest: Math.min(...members.map(({ similarity }) => similarity)), kind }]
}

function exactMember(copy: Copy, kept: Copy): GroupMember {
  const isIdentical = copy.content === kept.content
  const words = isIdentical ? 'the same bytes' : 'the same pixels, other metadata'
  return { copy, kind: isIdentical ? 'identical' : 'same-pixels', similarity: 1, words, proposed: true }
}

/** Of a picture that is only near, or alike, one copy stands for all. */
function membersOf(centre: Picture, other: Picture, kind: DuplicateGroup['kind']): readonly GroupMember[] {
  const found = centre.links.get(other)
  if (found === undefined) return []
  const { pair, to } = found
  const { similarity, proof } = pair
  const from = to === 'first' ? 'second' : 'first'
  const words = pair.words?.[to] ?? ''
  const covers = pair.covers?.[from] === true && pair.made !== from
  return (kind === 'copies' ? other.copies : other.copies.slice(0, 1)).map((copy) => ({
    copy,
    kind: pair.kind,
    similarity,
    words,
    proposed: kind === 'copies' && covers,
    ...(proof === undefined ? {} : { proof: { ...proof, kept: from } }),
  }))
}

function first({ copies: [copy] }: Picture): Copy {
  if (copy === undefined) throw new RangeError('A picture without copies is none.')
  return copy
}

/** Counts photos, not pairs. */
export interface DuplicateCounts {
  /** Counts the groups. */
  readonly groups: number
  /** Counts the photos in them, the kept ones as well, each once. */
  readonly photos: number
  /** Counts the photos that may go. */
  readonly proposed: number
  /** Counts the bytes of those. */
  readonly bytes: number
}

/** Counts the photos of groups. */
export function countDuplicates(groups: readonly DuplicateGroup[]): DuplicateCounts {
  const members = groups.flatMap((group) => group.members)
  const going = members.filter(({ proposed }) => proposed)
  const photos = new Set([...groups.map(({ kept }) => kept.id), ...members.map(({ copy }) => copy.id)])
  const bytes = going.reduce((sum, { copy }) => sum + copy.bytes, 0)
  return { groups: groups.length, photos: photos.size, proposed: going.length, bytes }
}
