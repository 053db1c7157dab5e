/** Runs networks of many families, as each library writes them, and compares every activation that the golden holds. */
import { Network } from '../encoder/network.js'
import type { Precision } from '../engine/engine.js'
import type { SlotName } from '../engine/plan.js'
import type { VitPlan } from '../model/plan-vit.js'
import type { VitModel } from '../model/read-vit.js'
import type { VitConfig } from '../model/vit-config.js'
import { type Place, placeOrNull, ruleOf } from './activations.js'
import {
  type CaseContext,
  type Comparison,
  checkpointPaths,
  type GoldenCase,
  readExpected,
  readTensors,
  required,
} from './case.js'
import { compareOutputs } from './compare-outputs.js'
import { denseRouting } from './dense-routing.js'
import { openCase } from './open-case.js'
import { comparePacked, packingOf } from './packed-case.js'
import { readRouters } from './tokens-elsewhere.js'

interface FamilyCase extends GoldenCase {
  readonly inputs?: Readonly<Record<string, unknown>>
  /** Says of a case of massive activations which token holds one, and how large tokens are behind each block. */
  readonly massive?: {
    readonly token: number
    readonly blocks: readonly { readonly after: string; readonly largest: number }[]
  }
}

/** Gives the reason of each kind of tensor that a run has no counterpart of. The list is closed: any other that the network does not have is a failure. */
const NOT_COMPARED: readonly (readonly [tensor: RegExp, reason: string])[] = [
  [
    /^(text[._].*|text_features|text_embeds|logits_per_(image|text)|patch_scores)$/,
    'they are of a text tower, or made with its texts, and images alone are embedded',
  ],
  [/^image_embeds$/, 'they are the embedding, which is compared, mostly at unit length'],
  [/^rope([._].*)?$/, 'they are tables, which are compared by what they turn'],
  [/^attention\.last$/, 'attention is compared by the cases that look into it'],
  [/^(noise|ids_restore)$/, 'ViTMAE shuffles patches by them, and all other tensors are back in order'],
  [
    /^head\.input$/,
    'a classifier reads it, each part of which is multiplied by a matrix of its own, so that the scores alone are compared',
  ],
]
/**
 * Are not compared of cases whose scores are none of their library's: eval_linear.py of the first DINO lets class token and mean patch take turns, column by column, and
 * the golden has one behind the other.
 */
const isOtherwiseJoined = ({ library, network_parameters: { linear } = {} }: FamilyCase) =>
  library === 'facebookresearch/dino' && linear === 1
const OTHERWISE_JOINED = 'the case joins what its classifier reads otherwise than its library'
/** iBOT puts what it pools in the place of the class token where it pools the mean, so that its tokens are none of one network; its blocks are compared. */
const isMixed = (golden: GoldenCase, { finalNorm }: VitConfig) =>
  golden.library === 'bytedance/ibot' && finalNorm === 'pooled'
const MIXED = 'iBOT puts the pooled mean in the place of the class token, and the blocks are compared'
const SMALL_DIFFERENCE =
  'what is left of a massive token is the small difference of large numbers, which no narrow precision keeps; the tokens beside it are compared'

/** Gives the tensors of which none of these is so, and tells the others. */
function comparedOf(
  tensors: readonly string[],
  reasonOf: (tensor: string) => string | null,
  { onTensorsLeftOut }: CaseContext,
): readonly string[] {
  const byReason = new Map<string, string[]>()
  const kept: string[] = []
  for (const tensor of tensors) {
    const reason = reasonOf(tensor)
    if (reason === null) kept.push(tensor)
    else byReason.set(reason, [...(byReason.get(reason) ?? []), tensor])
  }
  for (const [reason, some] of byReason) onTensorsLeftOut?.(some, reason)
  return kept
}

const FINAL =
  /^(tokens(\.others)?|embedding|image_features|logits|pooler_output|summary|features|class_token|patch_tokens)$/

export async function* runFamilyCase(
  golden: FamilyCase,
  context: CaseContext,
): AsyncGenerator<Comparison, void, undefined> {
  // Where files are named by their layouts, each holds the whole network.
  const isEach = golden.checkpoints?.some((file) => 'layout' in file) === true
  for (const path of isEach ? checkpointPaths(golden) : [undefined]) yield* runFile(golden, context, path)
}

async function* runFile(
  golden: FamilyCase,
  context: CaseContext,
  path: string | undefined,
): AsyncGenerator<Comparison, void, undefined> {
  const { engine } = context
  const expected = await readExpected(golden, context.open)
  const { tensor: inputName } = required(golden.input, 'input', golden)
  const inputs = new Set([inputName, ...Object.keys(golden.inputs ?? {})])
  const given = [...expected.keys()].filter((tensor) => !inputs.has(tensor))
  const before = (tensor: string) => {
    if (tensor === 'logits' && isOtherwiseJoined(golden)) return OTHERWISE_JOINED
    return NOT_COMPARED.find(([kind]) => kind.test(tensor))?.[1] ?? null
  }
  const tensors = comparedOf(given, before, context)
  await using model = await openCase(golden, context, path)
  const { vit } = model
  using network = await Network.load(vit, engine)
  const packing = packingOf(golden)
  if (packing !== null) {
    const placed = (tensor: string, plan: VitPlan) => placeOf(golden, tensor, plan, vit)
    yield* comparePacked(golden, context, {
      network,
      packing,
      expected,
      inputName,
      tensors,
      placeOf: placed,
    })
    return
  }
  const values = required(expected.get(inputName), `tensor called ${inputName}`, golden)
  const input = golden.dialect === 'nvidia' ? await levelsOf(values, golden, context) : values
  const { size, position } = required(golden.run, 'run', golden)
  const { shape } = required(golden.tensors?.[inputName], `tensors.${inputName}`, golden)
  const batch = required(shape[0], `batch in tensors.${inputName}`, golden)
  const grid = network.gridOf(size)
  const positions = ruleOf(position, vit.config, golden.library)
  const plan = network.planFor(grid, { positions })
  const within = (tensor: string) => {
    if (tensor === 'tokens' && isMixed(golden, vit.config)) return MIXED
    return isSmallDifference(golden, tensor, engine.precision) ? SMALL_DIFFERENCE : null
  }
  const compared = comparedOf(tensors, within, context)
  const places = new Map(compared.map((tensor) => [tensor, placeOf(golden, tensor, plan, vit)]))
  const order = golden.library === 'birder' ? 'birder' : 'canonical'
  const run = {
    network,
    plan,
    grid,
    batch,
    positions,
    input,
    expected: denseRouting(expected, plan.plan, batch),
    places,
    order,
    routers: await readRouters(plan.plan, vit.weights),
    final: FINAL,
  } as const
  yield* compareOutputs(withRoundingOfMassive(golden), context, { ...run, note: path ?? null })
}

/** The rule of all goldens: a tolerance is so many times the noise of float32. */
const TIMES_NOISE = 16

/**
 * What is left of a massive token is the small difference of large numbers: its noise is no less than half a unit in the last place of these, even
 * where the one float32 run that the golden's tolerance comes from happened to have less.
 */
function withRoundingOfMassive(golden: FamilyCase): FamilyCase {
  if (golden.massive === undefined) return golden
  const tensors = { ...golden.tensors }
  let largest = 0
  let times = 1
  for (const { after, largest: own } of golden.massive.blocks) {
    largest = Math.max(largest, own)
    const halfUnit = 2 ** (Math.floor(Math.log2(largest)) - 24)
    const stored = required(tensors[after], `tensors.${after}`, golden)
    const atol = Math.max(stored.atol ?? 0, TIMES_NOISE * halfUnit)
    times = atol / (stored.atol ?? atol)
    tensors[after] = { ...stored, atol }
  }
  // The last norm scales what the last block gives.
  const tokens = required(tensors.tokens, 'tensors.tokens', golden)
  return { ...golden, tensors: { ...tensors, tokens: { ...tokens, atol: (tokens.atol ?? 0) * times } } }
}

function isSmallDifference({ massive }: FamilyCase, tensor: string, precision: Precision): boolean {
  return massive !== undefined && tensor === 'tokens' && precision !== 'float32' && precision !== 'float64'
}

/** NVIDIA's files normalise pixels themselves, and their goldens have pixels on which that is done: it is undone, as far as float32 lets it. */
async function levelsOf(
  pixels: Float32Array,
  golden: GoldenCase,
  { open }: CaseContext,
): Promise<Float32Array> {
  const [path] = checkpointPaths(golden)
  const names = ['mean', 'std'].map((name) => `radio_model.input_conditioner.norm_${name}`)
  const values = await readTensors(await open(required(path, 'checkpoint', golden)), names)
  const [mean, std] = names.map((name) => required(values.get(name), name, golden))
  const { shape } = required(golden.tensors?.pixels, 'tensors.pixels', golden)
  const [, channels = 1, height = 1, width = 1] = shape
  return pixels.map((value, at) => {
    const channel = Math.floor(at / (height * width)) % channels
    return value * (std?.[channel] ?? Number.NaN) + (mean?.[channel] ?? Number.NaN)
  })
}

/** Says where a tensor is that families name alike, beside those that every network has. */
function placeOf(golden: FamilyCase, tensor: string, plan: VitPlan, { config }: VitModel): Place | null {
  const [, of, stage] = /^(feature_maps|cls_tokens)\.(\d+)$/.exec(tensor) ?? []
  if (stage !== undefined) {
    const slot = plan.slots.taps[Number(stage)]
    if (slot === undefined) return null
    if (of === 'cls_tokens') return { slot, layout: 'class' }
    return { slot, layout: golden.tensors?.[tensor]?.shape.length === 4 ? 'tokens as map' : 'tokens' }
  }
  if (tensor === 'tokens.others') {
    const { token } = required(golden.massive, 'massive', golden)
    return { slot: plan.slots.tokens, layout: 'others', row: token }
  }
  const [, whole, part] = /^(.+)\.(class|registers|patches)$/.exec(tensor) ?? []
  const whereWhole = whole === undefined ? null : placeOrNull(whole, plan)
  if (whereWhole !== null && (part === 'class' || part === 'registers' || part === 'patches'))
    return { slot: whereWhole.slot, layout: part }
  const { embeddings, embedding, tokens } = plan.slots
  const slots: Readonly<Record<string, SlotName | undefined>> = {
    embeddings: 'encoder.input',
    tokens_in: config.preNorm ? 'encoder.pre_block' : 'encoder.input',
    pooler_output: embeddings.get('pooled') ?? embeddings.get(simplePool(config)),
    summary: embedding,
    ln_post: config.finalNorm === 'pooled' ? 'embedding' : tokens,
    image_features: embedding,
  }
  const [, head] = /^(cls|distillation)_logits$/.exec(tensor) ?? []
  if (head !== undefined) return { slot: `logits.${head === 'cls' ? 'class' : head}`, layout: 'doubled' }
  const slot = slots[tensor]
  if (slot !== undefined) return { slot, layout: tensor === 'tokens_in' ? 'tokens' : 'as is' }
  const [, headBlock] = /^head\.blocks\.(\d+)$/.exec(tensor) ?? []
  if (headBlock !== undefined) return { slot: `vision_head.block.${headBlock}`, layout: 'tokens' }
  if (tensor === 'class_token') return { slot: tokens, layout: 'class' }
  if (tensor === 'features' || tensor === 'patch_tokens') return { slot: tokens, layout: 'patches' }
  if (tensor === 'forward_features' && golden.tensors?.[tensor]?.shape.length === 4)
    return { slot: tokens, layout: 'tokens as map' }
  if (config.windows?.around === 'blocks' && tensor.startsWith('encoder.'))
    return { slot: tensor, layout: 'windows' }
  return placeOrNull(tensor, plan)
}

function simplePool({ pooling, classToken }: VitConfig): 'class' | 'mean' {
  return pooling.kind === 'class' && classToken ? 'class' : 'mean'
}
