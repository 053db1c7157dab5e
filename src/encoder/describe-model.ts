/** Says what a model is and what running it takes, found out from headers, and with which identity it runs. */
import type { NetworkChoice, OpenCheckpoint } from '../checkpoint/checkpoint.js'
import { countFlop } from '../engine/count-flop.js'
import type { Engine } from '../engine/engine.js'
import { inputsOf } from '../engine/needed-steps.js'
import type { Plan, SlotName } from '../engine/plan.js'
import { slotLength } from '../engine/plan-lookup.js'
import { type Recipe, recipeIdentity } from '../image/recipe.js'
import { resizedSize } from '../image/resized-size.js'
import { type LeftOver, leftOver } from '../model/left-over.js'
import { defaultEmbedding } from '../model/plan-pooling.js'
import { planVit } from '../model/plan-vit.js'
import type { PatchGrid } from '../model/positions.js'
import { EMBEDDING_KINDS, type EmbeddingKind, specialTokens, type VitConfig } from '../model/vit-config.js'
import { elementCount } from '../tensor/shape.js'
import { attendingOf } from './attending.js'
import { attentionBytes } from './attention-map.js'
import { type RecipeChoice, recipeChoiceOf, recipeFor } from './choose-recipe.js'
import { identityOf } from './identity.js'
import type { NetworkOptions } from './network.js'
import type { Identity } from './types.js'
import type { OpenModel } from './vit-stages.js'

/** Says what a model is, how it would run here, and what that takes. */
export interface ModelDescription {
  /** Names the format of the file: `safetensors`, `torch` or `torch-legacy`. */
  readonly format: string
  /** Names the library whose layout it has. */
  readonly dialect: string
  /** Names Birder's network; null where the file does not say. */
  readonly network: string | null
  /** Says what its numbers rest on. */
  readonly identity: Identity
  /** Says which network it is. */
  readonly config: VitConfig
  /** Says what stands for a whole image. */
  readonly embedding: {
    /** Names it. */
    readonly kind: EmbeddingKind
    /** Counts its numbers. */
    readonly width: number
    /** Names all that the network has. */
    readonly kinds: readonly EmbeddingKind[]
  }
  /** Counts the numbers in all weights of the network. */
  readonly parameters: number
  /** Lists the tensors of the network in the file's order. */
  readonly tensors: readonly {
    /** Names it as the file does, without wrapping prefixes. */
    readonly name: string
    /** Names the type of its elements. */
    readonly dtype: string
    /** Gives its sizes, outermost first. */
    readonly shape: readonly number[]
  }[]
  /** Says which of the file's networks this is, and why; null where it holds no other. */
  readonly choice: NetworkChoice | null
  /** Names what the file holds beside the tensors that are used, by what it is. */
  readonly leftOver: LeftOver
  /** Names the file of the head that stands on the network; null without one. */
  readonly head: string | null
  /** Tells of the recipe in one line. */
  readonly recipe: string
  /** Says in whole sentences what no file has told and was assumed. */
  readonly assumptions: readonly string[]
  /** Says what would run it. */
  readonly engine: {
    /** Names the engine. */
    readonly name: string
    /** Says how it computes products. */
    readonly precision: string
    /** Names the code path and the number of threads. */
    readonly description: string
    /** Says why it is this one. */
    readonly reason: string
  }
  /** Says what running it takes at least; an engine may need more. */
  readonly memory: {
    /** Counts the bytes of all weights as float32. */
    readonly weights: number
    /** Counts the bytes of what must be held at one time for one image, as float32. */
    readonly activations: number
    /** Counts the bytes of the attention weights of one block, of all heads and tokens, which nothing holds unless it is asked for. */
    readonly attention: number
  }
  /** Says how much an image is. */
  readonly input: {
    /** Gives the size in pixels for which all this is told; where each image has a size of its own, it is a square one's. */
    readonly size: readonly [height: number, width: number]
    /** Counts its patches. */
    readonly grid: PatchGrid
    /** Counts class token, registers and patches. */
    readonly tokens: number
    /** Counts the floating-point operations of the matrix products, two for each multiply-add. */
    readonly flop: number
  }
}

/**
 * Describes an open model as the engine would run it.
 *
 * @param weightDigest is what `digestOf` gives
 * @throws RangeError for a recipe that the model cannot have
 */
export function describeOpenModel(
  { vit, checkpoint, name }: OpenModel & { readonly checkpoint: OpenCheckpoint },
  { engine, reason }: { readonly engine: Engine; readonly reason: string },
  weightDigest: string,
  choice: RecipeChoice & Pick<NetworkOptions, 'positions'>,
): ModelDescription {
  const { config, dialect } = vit
  const recipe = recipeFor(vit, recipeChoiceOf(choice))
  const [height, width] = describedSize(recipe)
  const grid = { rows: Math.floor(height / config.patchSize), columns: Math.floor(width / config.patchSize) }
  const { plan, slots } = planVit(config, grid, null)
  const outputs = [slots.embedding, slots.tokens]
  const tokens = specialTokens(config) + grid.rows * grid.columns
  const weights = [...vit.weightShapes.values()].reduce((sum, shape) => sum + elementCount(shape), 0)
  const { positions } = config
  // Sines are no parameters, though a file may hold them.
  const learnt = positions === null || positions.sines !== undefined ? 0 : positions.rows * positions.columns
  const parameters = weights + learnt * config.width
  return {
    format: checkpoint.format,
    dialect,
    network: config.network,
    identity: identityOf({
      name,
      weights: weightDigest,
      origin: vit.origin,
      ignoredFields: vit.ignoredFields,
      config,
      recipe,
      positions: choice.positions,
      engine,
    }),
    config: { ...config },
    embedding: {
      kind: config.embedding ?? defaultEmbedding(config),
      width: slotLength(plan, slots.embedding),
      kinds: EMBEDDING_KINDS.filter((kind) => slots.embeddings.has(kind)),
    },
    parameters,
    tensors: [...checkpoint.tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
    choice: checkpoint.choice,
    leftOver: leftOver(vit.leftOver, checkpoint.dropped),
    head: checkpoint.head ?? null,
    recipe: recipeIdentity(recipe),
    assumptions: vit.assumptions,
    engine: { name: engine.name, precision: engine.precision, description: engine.description, reason },
    memory: {
      weights: 4 * parameters,
      activations: 4 * largestLiveSet(plan, outputs),
      attention: attentionBytes(attendingOf(config), grid, { from: 'all' }),
    },
    input: { size: [height, width], grid, tokens, flop: countFlop(plan, outputs) },
  }
}

/** Gives the size of an input by which a recipe is described: where each image has its own, a square image's of the trained size. */
function describedSize(recipe: Recipe): readonly [height: number, width: number] {
  const { resize, size } = recipe
  if (resize.kind !== 'scaled') return size
  return resizedSize({ height: size[0], width: size[1] }, resize)
}

/** Counts the most numbers that are needed at one time: a slot is needed from the step that writes it to the last that reads it. */
export function largestLiveSet(plan: Plan, outputs: readonly SlotName[]): number {
  const lastRead = new Map<SlotName, number>(outputs.map((slot) => [slot, plan.steps.length]))
  for (const [index, step] of plan.steps.entries()) {
    for (const slot of inputsOf(step)) lastRead.set(slot, Math.max(lastRead.get(slot) ?? 0, index))
  }
  let live = plan.inputs.reduce((sum, { slot }) => sum + sizeOf(plan, slot), 0)
  let largest = live
  for (const [index, step] of plan.steps.entries()) {
    live += sizeOf(plan, step.output)
    largest = Math.max(largest, live)
    for (const slot of new Set(inputsOf(step))) if (lastRead.get(slot) === index) live -= sizeOf(plan, slot)
  }
  return largest
}

function sizeOf({ slots }: Plan, slot: SlotName): number {
  const shape = slots.get(slot)
  if (shape === undefined) throw new Error(`The plan does not give the shape of its slot ${slot}.`)
  return elementCount(shape)
}
