/** This file finds the golden cases. Their answers come from other libraries; test/golden/data/README.md says how. */
import { existsSync, readFileSync } from 'node:fs'
import { cp, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { GoldenCase } from '../../src/verify/case.js'

export interface Goldens {
  /** The paths of cases are relative to this folder. */
  readonly root: string
  /** Is true for the whole set, false for the committed part. */
  readonly whole: boolean
  /** Returns all cases of a kind such as `vit`, `dialect`, `preprocess`; throws where there is none, since a test over nothing proves nothing. */
  cases(kind: string): readonly GoldenCase[]
}

const repository = fileURLToPath(new URL('../../', import.meta.url))
const committed = resolve(repository, 'test/golden/data')

/** Opens the set that PLUMAGE_GOLDENS names, else the whole set beside the repository where there is one, else the committed part. */
export function openGoldens(): Goldens {
  const { PLUMAGE_GOLDENS: named } = process.env
  const wanted = resolve(repository, named ?? '../shared/goldens')
  const whole = existsSync(`${wanted}/index.json`)
  if (named !== undefined && !whole)
    throw new Error(`PLUMAGE_GOLDENS names ${wanted}, where there is no index.json.`)
  const root = whole ? wanted : committed
  const { cases } = JSON.parse(readFileSync(`${root}/index.json`, 'utf8')) as { cases: readonly GoldenCase[] }
  return {
    root,
    whole,
    cases(kind) {
      const found = cases.filter((golden) => golden.kind === kind)
      if (found.length === 0) throw new Error(`${root}/index.json has no case of the kind ${kind}.`)
      return found
    },
  }
}

/**
 * Copies the committed part but for the networks of real size. Those run once for each engine and precision, in test/golden; a test of how the
 * cases are started has enough with the others.
 */
export async function copySmallGoldens(to: string): Promise<void> {
  await cp(committed, to, { recursive: true })
  const index = JSON.parse(readFileSync(`${committed}/index.json`, 'utf8')) as {
    cases: readonly GoldenCase[]
  }
  const cases = index.cases.filter(({ kind }) => kind !== 'large')
  await writeFile(`${to}/index.json`, JSON.stringify({ ...index, cases }))
}
