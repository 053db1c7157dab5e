/** Opens the network of a golden case by what the case says of it, and by the files beside it; a file's other identity is not needed here. */
import { openCheckpoint } from '../checkpoint/open-checkpoint.js'
import { withHead } from '../checkpoint/with-head.js'
import { readVit, type VitModel } from '../model/read-vit.js'
import { type CaseContext, checkpointPaths, type GoldenCase, required } from './case.js'
import { readJsonOrUndefined } from './read-json.js'

/** The golden of open_clip with a network of timm's has an architecture that nobody else knows, so that a person would have to say what it is. */
const TRUNK_OF_ITS_OWN = {
  family: 'siglip',
  dialect: 'open-clip',
  told: { heads: 2, ignoreFields: ['architecture'] },
} as const

export async function openCase(
  golden: GoldenCase,
  context: CaseContext,
  path = wholeOf(golden),
): Promise<AsyncDisposable & { readonly vit: VitModel }> {
  const { network, network_parameters, run, family } = golden
  const patchSize = run?.patch_size ?? run?.naflex?.patch_size
  const heads =
    network_parameters?.heads ?? network_parameters?.vision?.heads ?? network_parameters?.args?.num_heads
  const { open } = context
  const beside = (name: string) => path.replace(/[^/]*$/, name)
  const alone = await openCheckpoint(await open(path), {
    openSibling: (name) => open(beside(name)),
    ...(run?.part === undefined ? {} : { entry: `${run.part}.module` }),
  })
  const head = headOf(golden)
  const checkpoint =
    head === null ? alone : await withHead(alone, async () => openCheckpoint(await open(head)))
  try {
    const configFile = await readJsonOrUndefined(beside('config.json'), context)
    const openClipFile = await readJsonOrUndefined(beside('open_clip_config.json'), context)
    const vit = readVit(checkpoint, {
      ...(openClipFile === undefined ? {} : { openClipFile }),
      ...(configFile === undefined ? {} : { configFile }),
      ...(network === undefined ? {} : { network }),
      ...(patchSize === undefined ? {} : { patchSize }),
      ...(heads === undefined ? {} : { heads }),
      ...(head !== null && golden.dialect === DINO_TXT ? howPutOn(golden) : {}),
      ...(family === TRUNK_OF_ITS_OWN.family && golden.dialect === TRUNK_OF_ITS_OWN.dialect
        ? TRUNK_OF_ITS_OWN.told
        : {}),
    })
    return { vit, [Symbol.asyncDispose]: () => checkpoint[Symbol.asyncDispose]() }
  } catch (error) {
    await checkpoint[Symbol.asyncDispose]()
    throw error
  }
}

const DINO_TXT = 'dinotxt'

/** Gives the file of a head that stands on the network. */
function headOf({ checkpoints }: GoldenCase): string | null {
  return checkpoints?.find(({ role, part }) => (role ?? part) === 'head')?.path ?? null
}

/** The library keeps this in its code, so that a person would have to say it. */
function howPutOn({ network_parameters: { pooler = 'mean', layer = 1 } = {} }: GoldenCase) {
  return { headPooling: pooler, headPatchLayer: layer }
}

/** Gives the one checkpoint of a case that has no further ones, such as heads. */
function wholeOf(golden: GoldenCase): string {
  const [path] = checkpointPaths(golden)
  return required(path, 'checkpoint', golden)
}
