/** Decides what must be equal for two runs to be parts of one work, and says in words what is not. */
import {
  type Difference,
  identityDifferences,
  plainDifference,
  wordsOf,
} from '../encoder/identity-differences.js'
import type { Identity } from '../encoder/types.js'
import type { TableMetadata } from '../formats/embedding-table.js'
import type { PlainRecord } from '../plain-value.js'
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
  const differing = differingWork(found, expected)
  if (differing === null) return
  throw new OutputError(
    'other-identity',
    `${where} made with ${differing.found}; this run has ${differing.expected}. ${remedy}`,
  )
}

/** Says in words what makes two works differ, each side for itself; null where they are the same. */
export function differingWork(
  found: PlainRecord,
  expected: PlainRecord,
): { readonly found: string; readonly expected: string } | null {
  const keys = differingKeys(found, expected)
  return keys.length === 0 ? null : wordsOf(keys.flatMap((key) => differencesOf(key, found, expected)))
}

function differingKeys(found: PlainRecord, expected: PlainRecord): readonly string[] {
  return Object.keys(expected).filter((key) => !TELLING.has(key) && found[key] !== expected[key])
}

function differencesOf(key: string, found: PlainRecord, expected: PlainRecord): readonly Difference[] {
  return key === 'identity' ? identityDifferences(found, expected) : [plainDifference(key, found, expected)]
}
