/** Says in words what two identities differ in: results of the two cannot be compared, and whoever asks wants to know why. */
import { isRecord, type PlainRecord, parseJsonOrNull } from '../plain-value.js'
import { shortDigest } from './short-digest.js'
import type { Identity } from './types.js'

/** Is one thing that differs, on both sides. */
export interface Difference {
  readonly key: string
  readonly found: string
  readonly expected: string
}

/** Says in words what two identities differ in, each side for itself. */
export function differingIdentity(
  found: Pick<Identity, 'digest' | 'weights' | 'settings'>,
  expected: Pick<Identity, 'digest' | 'weights' | 'settings'>,
): { readonly found: string; readonly expected: string } {
  const plain = ({ digest, weights, settings }: typeof found) => ({ identity: digest, weights, settings })
  return wordsOf(identityDifferences(plain(found), plain(expected)))
}

/** Joins the words of each side. */
export function wordsOf(differences: readonly Difference[]): {
  readonly found: string
  readonly expected: string
} {
  const list = (side: 'found' | 'expected') => differences.map((one) => `${one.key} ${one[side]}`).join(', ')
  return { found: list('found'), expected: list('expected') }
}

/** Takes another identity apart into what made it another one, where the file says so much. Records have `identity`, `weights` and `settings`. */
export function identityDifferences(found: PlainRecord, expected: PlainRecord): readonly Difference[] {
  const plain = plainDifference('identity', found, expected)
  if (found.identity === undefined) {
    // Before this there was a fingerprint of parts of the file.
    return [{ ...plain, found: 'of an earlier version, which told models apart in another way' }]
  }
  const weights = plainDifference('weights', found, expected)
  const made = [
    ...(weights.found === weights.expected ? [] : [weights]),
    ...settingDifferences(settingsOf(found.settings), settingsOf(expected.settings)),
  ]
  return made.length === 0 ? [plain] : made
}

/** Shows an entry of both. */
export function plainDifference(key: string, found: PlainRecord, expected: PlainRecord): Difference {
  return { key, found: shown(found[key]), expected: shown(expected[key]) }
}

function settingsOf(text: unknown): PlainRecord {
  const settings = typeof text === 'string' ? parseJsonOrNull(text) : null
  return isRecord(settings) ? settings : {}
}

/** Names the entries that differ by their path, as `config.heads`. */
function settingDifferences(found: PlainRecord, expected: PlainRecord, path = ''): readonly Difference[] {
  const keys = [...new Set([...Object.keys(found), ...Object.keys(expected)])].sort()
  return keys.flatMap((name) => {
    const [before, now] = [found[name], expected[name]]
    const key = `${path}${name}`
    if (isRecord(before) && isRecord(now)) return settingDifferences(before, now, `${key}.`)
    const difference = { key, found: shown(before), expected: shown(now) }
    return difference.found === difference.expected ? [] : [difference]
  })
}

/** Shortens digests to what a person can compare. */
function shown(value: unknown): string {
  if (value === undefined) return '(nothing)'
  if (typeof value !== 'string') return JSON.stringify(value)
  return /^[0-9a-f]{64}$/.test(value) ? shortDigest(value) : value
}
