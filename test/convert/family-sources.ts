/** Gives the first network of each library's each family among the goldens, with what has to be told of it. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { given } from '../../src/encoder/choose-recipe.js'
import type { ConvertOptions } from '../../src/platform/node/convert/convert-model.js'
import type { GoldenCase } from '../../src/verify/case.js'
import { packageRoot } from '../support/repository.js'

const ROOTS = ['families', 'more'].map((name) => resolve(packageRoot, 'test/golden/families', name))

export interface FamilySource {
  readonly path: string
  readonly library: string
  readonly told: Partial<ConvertOptions>
}

/** Each has its library and its family for a name. */
export function familySources(): ReadonlyMap<string, FamilySource> {
  const sources = new Map<string, FamilySource>()
  for (const root of ROOTS) {
    const { cases } = JSON.parse(readFileSync(join(root, 'index.json'), 'utf8')) as {
      cases: readonly GoldenCase[]
    }
    for (const { kind, family, dialect, network, network_parameters, checkpoints = [], run } of cases) {
      const [checkpoint] = checkpoints
      const isWhole = kind === 'family' && run?.part === undefined && run?.patch_size === undefined
      if (!isWhole || checkpoint === undefined || run?.naflex !== undefined) continue
      const heads =
        network_parameters?.heads ?? network_parameters?.args?.num_heads ?? network_parameters?.vision?.heads
      const told = given({ network: dialect === 'birder' ? network : undefined, heads })
      const name = `${dialect}: ${family}`
      if (sources.has(name)) continue
      sources.set(name, { path: join(root, checkpoint.path), library: String(dialect), told })
    }
  }
  return sources
}
