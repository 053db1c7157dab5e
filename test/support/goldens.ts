/** Where the golden cases lie, and what they are. The answers come from other libraries; see test/golden/data/README.md. */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { GoldenCase } from '../../src/verify/case.js'

export interface Goldens {
  /** The folder that the paths of cases are relative to. */
  readonly root: string
  /** Whether this is the whole set; else it is the committed part. */
  readonly whole: boolean
  /** All cases of a kind such as `vit`, `dialect`, `preprocess`; never none, since a test over nothing proves nothing. */
  cases(kind: string): readonly GoldenCase[]
}

const repository = fileURLToPath(new URL('../../', import.meta.url))

/** The set that PLUMAGE_GOLDENS names, else the whole set beside the repository where there is one, else the committed part. */
export function openGoldens(): Goldens {
  const { PLUMAGE_GOLDENS: named } = process.env
  const wanted = resolve(repository, named ?? '../shared/goldens')
  const whole = existsSync(`${wanted}/index.json`)
  if (named !== undefined && !whole)
    throw new Error(`PLUMAGE_GOLDENS names ${wanted}, where there is no index.json.`)
  const root = whole ? wanted : resolve(repository, 'test/golden/data')
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
