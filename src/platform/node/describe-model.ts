/** What a model is and what running it takes, found out from headers: no weight is read. */
import { stat } from 'node:fs/promises'
import { recipeFor } from '../../encoder/choose-recipe.js'
import { inputsOf } from '../../engine/needed-steps.js'
import type { Plan, SlotName } from '../../engine/plan.js'
import { recipeIdentity } from '../../image/recipe.js'
import { planVit } from '../../model/plan-vit.js'
import type { VitConfig } from '../../model/vit-config.js'
import { elementCount } from '../../tensor/shape.js'
import { chooseEngine } from './choose-engine.js'
import { findModel } from './find-model.js'
import type { LoadOptions } from './load-encoder.js'
import { openVit } from './open-vit.js'

export interface ModelDescription {
  readonly source: string
  /** Path of the checkpoint. */
  readonly path: string
  readonly format: string
  readonly dialect: string
  readonly network: string | null
  readonly fingerprint: string
  readonly config: VitConfig
  /** Numbers in all weights of the network. */
  readonly parameters: number
  readonly fileBytes: number
  readonly tensors: readonly {
    readonly name: string
    readonly dtype: string
    readonly shape: readonly number[]
  }[]
  /** What the file holds beside the network. */
  readonly dropped: readonly string[]
  readonly recipe: string
  readonly engine: {
    readonly name: string
    readonly precision: string
    readonly description: string
    /** Why this one. */
    readonly reason: string
  }
  /** Bytes: all weights as float32, and what must be held at one time for one image. An engine may need more. */
  readonly memory: { readonly weights: number; readonly activations: number }
}

/** Throws what `loadEncoder` would throw, but for damage that only shows when weights are read. */
export async function describeModel(source: string, options: LoadOptions): Promise<ModelDescription> {
  const found = await findModel(source, options)
  const { signal } = options
  await using open = await openVit(found.path, {
    ...(found.network === undefined ? {} : { network: found.network }),
    ...(signal === undefined ? {} : { signal }),
  })
  const { vit, checkpoint } = open
  const { config } = vit
  const { engine: chosen, reason } = await chooseEngine(options)
  await using engine = chosen
  const recipe = recipeFor(config, vit.dialect, open.preprocessorFile, options)
  const [rows, columns] = recipe.size.map((side) => Math.floor(side / config.patchSize))
  const { plan, slots } = planVit(config, { rows, columns }, null)
  const weights = [...vit.weightShapes.values()].reduce((sum, shape) => sum + elementCount(shape), 0)
  const positions =
    config.positions === null ? 0 : config.positions.rows * config.positions.columns * config.width
  return {
    source,
    path: found.path,
    format: checkpoint.format,
    dialect: vit.dialect,
    network: config.network,
    fingerprint: open.fingerprint,
    config: { ...config },
    parameters: weights + positions,
    fileBytes: (await stat(found.path)).size,
    tensors: [...checkpoint.tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
    dropped: checkpoint.dropped,
    recipe: recipeIdentity(recipe),
    engine: { name: engine.name, precision: engine.precision, description: engine.description, reason },
    memory: {
      weights: 4 * (weights + positions),
      activations: 4 * largestLiveSet(plan, [slots.embedding, slots.tokens]),
    },
  }
}

/** Most numbers that are needed at one time: a slot is, from the step that writes it to the last that reads it. */
export function largestLiveSet(plan: Plan, outputs: readonly SlotName[]): number {
  const lastRead = new Map<SlotName, number>(outputs.map((slot) => [slot, plan.steps.length]))
  for (const [index, step] of plan.steps.entries()) {
    for (const slot of inputsOf(step)) lastRead.set(slot, Math.max(lastRead.get(slot) ?? 0, index))
  }
  const sizeOf = (slot: SlotName) => elementCount(plan.slots.get(slot) ?? [0])
  let live = sizeOf(plan.input)
  let largest = live
  for (const [index, step] of plan.steps.entries()) {
    live += sizeOf(step.output)
    largest = Math.max(largest, live)
    for (const slot of new Set(inputsOf(step))) if (lastRead.get(slot) === index) live -= sizeOf(slot)
  }
  return largest
}
