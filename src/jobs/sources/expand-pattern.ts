/** Finds the files or objects that a pattern means, as shards are named: `shard-{000..999}.tar`, `s3://bucket/{train,val}-*.tar`. */
import { compareNames } from '../../compare-names.js'
import { isDatabase } from '../../is-address.js'
import { isAddress } from '../../work/input-of-address.js'
import type { SourceReading } from './source.js'
import { SourceError } from './source-error.js'
import { storageAt } from './storage-at.js'

/** More names are a mistake, or belong in a list. */
const MOST_NAMES = 2 ** 20

export function isPattern(address: string): boolean {
  if (isDatabase(address)) return false
  return /[*?]|\{[^{}]*(,|\.\.)[^{}]*\}/.test(address)
}

/** What braces name is named, whether it is there or not: a shard that is missing fails by its name. Throws `SourceError` `nothing-found`, `unclear`. */
export async function expandPattern(pattern: string, reading: SourceReading): Promise<readonly string[]> {
  const found: string[] = []
  for (const name of expandBraces(pattern))
    found.push(...(/[*?]/.test(name) ? await matches(name, reading) : [name]))
  return found
}

/** Expands braces as shells do: lists, and ranges of whole numbers that keep their zeros in front. */
export function expandBraces(pattern: string): readonly string[] {
  const found = /^(.*?)\{([^{}]*)\}(.*)$/s.exec(pattern)
  const [, before = '', inside = '', after = ''] = found ?? []
  if (found === null) return [pattern]
  const choices = choicesOf(inside)
  if (choices === null) return expandBraces(after).map((end) => `${before}{${inside}}${end}`)
  const ends = expandBraces(after)
  assertFew(choices.length * ends.length, pattern)
  return choices.flatMap((choice) => ends.map((end) => before + choice + end))
}

function choicesOf(inside: string): readonly string[] | null {
  const [, first = '', last = ''] = /^(\d+)\.\.(\d+)$/.exec(inside) ?? []
  if (first === '') return inside.includes(',') ? inside.split(',') : null
  const width = /^0\d/.test(first) || /^0\d/.test(last) ? Math.max(first.length, last.length) : 1
  const count = Math.abs(Number(last) - Number(first)) + 1
  assertFew(count, `{${inside}}`)
  const step = Number(last) < Number(first) ? -1 : 1
  return Array.from({ length: count }, (_, at) => String(Number(first) + at * step).padStart(width, '0'))
}

function assertFew(count: number, pattern: string): void {
  if (count > MOST_NAMES)
    throw new SourceError('unclear', `${pattern} names ${count} files, more than ${MOST_NAMES}.`)
}

async function matches(pattern: string, { world, options }: SourceReading): Promise<readonly string[]> {
  const place = storageAt(world.storages, pattern)
  if (place === null && isAddress(pattern))
    throw new SourceError(
      'unreadable',
      `${pattern} is in no place that can be listed. Name its files by braces.`,
    )
  const found =
    place === null ? await globbed(pattern, { world, options }) : await listed(pattern, place, options.signal)
  if (found.length > 0) return [...found].sort(compareNames)
  throw new SourceError('nothing-found', `Nothing matches ${pattern}.`)
}

async function globbed(
  pattern: string,
  { world, options: { signal } }: Pick<SourceReading, 'world' | 'options'>,
): Promise<readonly string[]> {
  const found = (await world.files.glob(pattern, signal === undefined ? {} : { signal })) ?? []
  const unread = found.find((one) => typeof one !== 'string')
  if (unread !== undefined)
    throw new SourceError('unreadable', `${unread.path} cannot be looked through: ${unread.reason}.`)
  return found.filter((one) => typeof one === 'string')
}

async function listed(
  pattern: string,
  { storage, base, key }: NonNullable<ReturnType<typeof storageAt>>,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const signs = { '**': '.*', '*': '[^/]*', '?': '[^/]' } as const
  const source = key.replace(/\*\*|[*?]|[.+^${}()|[\]\\]/g, (sign) =>
    sign in signs ? signs[sign as keyof typeof signs] : `\\${sign}`,
  )
  const matching = new RegExp(`^${source}$`, 's')
  const found: string[] = []
  const prefix = key.slice(0, key.search(/[*?]/))
  for await (const object of storage.list({ prefix, signal }))
    if (matching.test(object.key)) found.push(`${base}/${object.key}`)
  assertFew(found.length, pattern)
  return found
}
