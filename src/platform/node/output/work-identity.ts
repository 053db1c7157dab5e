/** What must be equal for two runs to be parts of one work. */
import type { Identity } from '../../../encoder/types.js'
import { OutputError } from './output-error.js'

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

export function sameWork(found: WorkIdentity, expected: WorkIdentity): boolean {
  return differences(found, expected).length === 0
}

/** Throws `OutputError` `other-identity`; `remedy` says what to do about it. */
export function assertSameWork(
  where: string,
  found: WorkIdentity,
  expected: WorkIdentity,
  remedy: string,
): void {
  const keys = differences(found, expected)
  if (keys.length === 0) return
  const list = (from: WorkIdentity) => keys.map((key) => `${key} ${from[key]}`).join(', ')
  throw new OutputError(
    'other-identity',
    `${where} made with ${list(found)}; this run has ${list(expected)}. ${remedy}`,
  )
}

function differences(found: WorkIdentity, expected: WorkIdentity): readonly string[] {
  return Object.keys(expected).filter((key) => found[key] !== expected[key])
}
