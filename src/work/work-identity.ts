/** Decides what must be equal for two runs to be parts of one work, and says in words what is not. */
import { shortDigest } from '../encoder/short-digest.js'
import type { Identity } from '../encoder/types.js'
import type { TableMetadata } from '../formats/embedding-table.js'
import { isRecord, type PlainRecord } from '../plain-value.js'
import type { Files } from './files.js'
import { jsonObjectOrNull } from './json-object.js'
import { OutputError, ofEarlierWork } from './output-error.js'

/** Each entry decides, but for those that only tell a reader what made the output, into which all of it goes. */
export type WorkIdentity = TableMetadata

/** Tell a reader, and decide nothing: a renamed file goes on, another engine keeps to the same promise, and `identity` holds the rest. */
const TELLING: ReadonlySet<string> = new Set([
  'weights',
  'settings',
  'precision',
  'recipe',
  'model',
  'engine',
  'origin',
])

/** @param output names what is made of each image */
export function workIdentity({ digest, ...telling }: Identity, output: string): WorkIdentity {
  return { identity: digest, ...telling, output }
}

/** Reads whose work a folder is; null where nothing says so. Throws `OutputError` `damaged` where the file says nothing of the kind. */
export async function readManifestOrNull(files: Files, path: string): Promise<PlainRecord | null> {
  const text = await ofEarlierWork(path, files.readText(path))
  if (text === null) return null
  const identity = jsonObjectOrNull(text)
  if (identity !== null) return identity
  throw new OutputError(
    'damaged',
    `${path} should say what made the files beside it, and is no JSON object. Add --restart to begin anew, or choose another output.`,
  )
}

export function writeManifest(files: Files, path: string, identity: WorkIdentity): Promise<void> {
  return files.write(path, [`${JSON.stringify(identity, null, 1)}\n`])
}

/** Throws `OutputError` `other-identity`; `remedy` says what to do about it. */
export function assertSameWork(
  where: string,
  found: PlainRecord,
  expected: WorkIdentity,
  remedy: string,
): void {
  const keys = differingKeys(found, expected)
  if (keys.length === 0) return
  const differing = wordsOf(keys.flatMap((key) => differencesOf(key, found, expected)))
  throw new OutputError(
    'other-identity',
    `${where} made with ${differing.found}; this run has ${differing.expected}. ${remedy}`,
  )
}

/** Says in words what two identities differ in, each side for itself. */
export function differingIdentity(
  found: Identity,
  expected: Identity,
): { readonly found: string; readonly expected: string } {
  const plain = (identity: Identity) => workIdentity(identity, '')
  return wordsOf(differencesOf('identity', plain(found), plain(expected)))
}

function wordsOf(differences: readonly Difference[]): { readonly found: string; readonly expected: string } {
  const list = (side: 'found' | 'expected') => differences.map((one) => `${one.key} ${one[side]}`).join(', ')
  return { found: list('found'), expected: list('expected') }
}

function differingKeys(found: PlainRecord, expected: WorkIdentity): readonly string[] {
  return Object.keys(expected).filter((key) => !TELLING.has(key) && found[key] !== expected[key])
}

interface Difference {
  readonly key: string
  readonly found: string
  readonly expected: string
}

/** Another identity is taken apart into what made it another one, where the file says so much. */
function differencesOf(key: string, found: PlainRecord, expected: WorkIdentity): readonly Difference[] {
  const plain = { key, found: shown(found[key]), expected: shown(expected[key]) }
  if (key !== 'identity') return [plain]
  if (found.identity === undefined) {
    // Before this there was a fingerprint of parts of the file.
    return [{ ...plain, found: 'of an earlier version, which told models apart in another way' }]
  }
  const weights = { key: 'weights', found: shown(found.weights), expected: shown(expected.weights) }
  const made = [
    ...(weights.found === weights.expected ? [] : [weights]),
    ...settingDifferences(settingsOf(found.settings), settingsOf(expected.settings)),
  ]
  return made.length === 0 ? [plain] : made
}

function settingsOf(text: unknown): PlainRecord {
  return (typeof text === 'string' ? jsonObjectOrNull(text) : null) ?? {}
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
