/** Reads a JSON file that belongs to a golden case. */
import { CheckpointError } from '../checkpoint/checkpoint-error.js'
import { decodeUtf8, parseJson } from '../checkpoint/parse-json.js'
import type { PlainValue } from '../plain-value.js'
import type { CaseContext } from './case.js'

type Context = Pick<CaseContext, 'open'>

/** Throws `CheckpointError`: `not-found`, `malformed`. */
export async function readJson(path: string, { open }: Context): Promise<PlainValue> {
  await using source = await open(path)
  return parseJson(decodeUtf8(await source.read(0, source.size), source.label), source.label)
}

/** Gives undefined where there is no such file. */
export async function readJsonOrUndefined(path: string, context: Context): Promise<PlainValue | undefined> {
  try {
    return await readJson(path, context)
  } catch (error) {
    if (error instanceof CheckpointError && error.code === 'not-found') return undefined
    throw error
  }
}
