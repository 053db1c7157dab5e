/** Lists the networks of the golden families in this repository, with what must be told of each. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { LIBRARY_NAMES, type LibraryName } from '../../src/convert/writer.js'
import { given } from '../../src/encoder/choose-recipe.js'
import type { OpenVitHints } from '../../src/platform/node/open-vit.js'
import type { GoldenCase } from '../../src/verify/case.js'
import { packageRoot } from './repository.js'

export interface GoldenNetwork {
  /** Names it by its folder or file. */
  readonly id: string
  readonly path: string
  readonly family: string
  /** Names the library in whose layout it lies, where networks are written in it. */
  readonly library: LibraryName | null
  /** Is what no file of it says. */
  readonly told: Pick<OpenVitHints, 'network' | 'heads' | 'size' | 'entry'>
  /** Is the file of its numbers at the trained size. */
  readonly expected: {
    readonly path: string
    /** Names the pixels in it. */
    readonly input: string
    /** Says how far off each tensor may be. */
    readonly atol: ReadonlyMap<string, number>
  }
}

/** Meta's makers have a dialect each in the index. */
const OF_META = ['dino', 'ibot', 'mae', 'ijepa', 'pe', 'facebook']

export function goldenNetworks(): readonly GoldenNetwork[] {
  const found = new Map<string, GoldenNetwork>()
  for (const set of ['families', 'more']) {
    const root = resolve(packageRoot, 'test/golden/families', set)
    const { cases } = JSON.parse(readFileSync(join(root, 'index.json'), 'utf8')) as {
      cases: readonly GoldenCase[]
    }
    for (const one of cases) {
      const network = networkOrNull(root, one)
      if (network !== null && !found.has(network.id)) found.set(network.id, network)
    }
  }
  return [...found.values()]
}

function networkOrNull(root: string, one: GoldenCase): GoldenNetwork | null {
  const { kind, family, dialect, network, network_parameters: parameters, checkpoints = [], run } = one
  const [checkpoint] = checkpoints
  const isWhole = kind === 'family' && run?.patch_size === undefined && run?.naflex === undefined
  // Layouts of one network are tried by themselves, parts of a model need more files than one, and one trunk is an architecture of the generator's own.
  const isLeftOut =
    ['all', 'dinotxt', 'nvidia'].includes(String(dialect)) || /siglip-timm/.test(checkpoint?.path ?? '')
  if (!isWhole || checkpoint === undefined || isLeftOut) return null
  const isMeta = OF_META.includes(String(dialect))
  const library = isMeta ? 'facebook' : (LIBRARY_NAMES.find((name) => name === dialect) ?? null)
  const heads = parameters?.heads ?? parameters?.args?.num_heads ?? parameters?.vision?.heads
  const told = given({
    network: dialect === 'birder' ? network : undefined,
    heads,
    size: dialect === 'facebook' ? run?.size : undefined,
    entry: dialect === 'ijepa' ? `${run?.part}.module` : undefined,
  }) as GoldenNetwork['told']
  const id = checkpoint.path.replace(/\/(model|open_clip_model|pretrain|finetuned|checkpoint)\.[^/]*$/, '')
  return {
    id,
    path: join(root, checkpoint.path),
    family: String(family),
    library,
    told,
    expected: expectedOf(root, one),
  }
}

function expectedOf(root: string, { input, tensors = {} }: GoldenCase): GoldenNetwork['expected'] {
  const atol = new Map(Object.entries(tensors).map(([name, tensor]) => [name, tensor.atol ?? 0]))
  return { path: join(root, input?.path ?? ''), input: input?.tensor ?? '', atol }
}
