/** Decides what must be equal for two runs to be parts of one work. */
import type { Identity } from '../encoder/types.js'
import type { Files } from './files.js'
import { type JsonObject, jsonObjectOrNull } from './json-object.js'
import { OutputError, ofEarlierWork } from './output-error.js'

/** Each difference is shown to the person by its key. */
export type WorkIdentity = Readonly<Record<string, string>>

/**
 * The model's name is not in it: a renamed file with the same weights goes on. Nor is the number of threads, which changes no result.
 * @param output names what is made of each image
 */
export function workIdentity(
  { fingerprint, engine, precision, recipe }: Identity,
  output: string,
): WorkIdentity {
  return { fingerprint, engine: engine.replace(/,? \d+ threads?\b/, ''), precision, recipe, output }
}

/** Reads whose work a folder is; null where nothing says so. Throws `OutputError` `damaged` where the file says nothing of the kind. */
export async function readManifestOrNull(files: Files, path: string): Promise<JsonObject | null> {
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
  found: JsonObject,
  expected: WorkIdentity,
  remedy: string,
): void {
  const keys = differences(found, expected)
  if (keys.length === 0) return
  const list = (from: JsonObject) => keys.map((key) => `${key} ${from[key]}`).join(', ')
  throw new OutputError(
    'other-identity',
    `${where} made with ${list(found)}; this run has ${list(expected)}. ${remedy}`,
  )
}

function differences(found: JsonObject, expected: WorkIdentity): readonly string[] {
  return Object.keys(expected).filter((key) => found[key] !== expected[key])
}
