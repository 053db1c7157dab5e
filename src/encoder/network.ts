/** A loaded vision transformer takes pixels and gives named activations. It has one program for each patch grid and set of outputs, kept for reuse. */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import { assertRuns } from '../engine/assert-runs.js'
import type {
  Engine,
  EngineModel,
  LoadingOptions,
  PackedBytes,
  PackingFacts,
  Program,
  WeightSource,
} from '../engine/engine.js'
import { disposed, EngineError } from '../engine/engine-error.js'
import type { Plan, SlotName } from '../engine/plan.js'
import { slotLength } from '../engine/plan-lookup.js'
import { gridTables, type StoredTables } from '../model/grid-tables.js'
import type { Masking } from '../model/plan-masking.js'
import { defaultEmbedding } from '../model/plan-pooling.js'
import { type PlanVariant, planVit, type VitPlan } from '../model/plan-vit.js'
import type { PatchGrid, PositionRule } from '../model/positions.js'
import type { VitModel } from '../model/read-vit.js'
import type { EmbeddingKind, VitConfig } from '../model/vit-config.js'
import { given } from './choose-recipe.js'
import { type HeadNorms, readHeadNorms } from './head-norms.js'
import { assertMaskable, assertResampled, inputGrid, overlappingGridOf } from './input-grid.js'
import type { FoundPacked, PackedWeights } from './packed-weights.js'
import type { WeightDigest } from './weight-digest.js'

/** Programs hold activations, tens of MB each for a large network: only the last used few are kept. */
const PROGRAMS_KEPT = 4

/** Says how a network is loaded. */
export interface NetworkOptions {
  /** Says how positions are resampled for other grids than the trained one; default: the way of the checkpoint's own library. */
  readonly positions?: PositionRule
  /** Ends the loading, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Digests the weights as they pass; default: nothing does. */
  readonly digest?: WeightDigest
  /** Finds the weights packed already, for an engine that can run on them; default: they are packed. */
  readonly packed?: PackedWeights
}

/** Says which of a network's plans is meant. */
export interface PlanChoice extends PlanVariant {
  /** Says how positions are resampled; default: the network's way. */
  readonly positions?: PositionRule
  /** Computes as if the config said otherwise; default: as it says. */
  readonly change?: NetworkChange
}

/** Says what of a network is run. */
export interface RunOptions extends PlanChoice {
  /** Counts the patches of an image; its sides in pixels are these times the patch size, unless patches overlap. */
  readonly grid: PatchGrid
  /** Counts the images, B; default 1. */
  readonly batch?: number
  /** Names the slots whose values are wanted, as `planFor` gives them. */
  readonly outputs: readonly SlotName[]
  /** Ends the run, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Says how an image is run of which a part is masked. */
export interface MaskedRun extends Pick<RunOptions, 'grid' | 'positions' | 'signal'> {
  /** Says what of it is. */
  readonly masking: Masking
}

/** Says what a network is taken for whose files say otherwise, to find out what other programs have computed. */
export type NetworkChange = Partial<Pick<VitConfig, 'activation' | 'epsilon'>>

const NETWORK_OPTIONS = {
  positions: true,
  signal: true,
  digest: true,
  packed: true,
} satisfies OptionNames<NetworkOptions>
const PLAN_CHOICE = {
  masking: true,
  overlap: true,
  inspection: true,
  positions: true,
  change: true,
} satisfies OptionNames<PlanChoice>
const RUN_OPTIONS = {
  ...PLAN_CHOICE,
  grid: true,
  batch: true,
  outputs: true,
  signal: true,
} satisfies OptionNames<RunOptions>

/**
 * Is a loaded vision transformer: pixels go in, named activations come out. It owns the packed weights and the programs, and not the engine, which
 * whoever chose it disposes of afterwards.
 */
export class Network implements Disposable {
  /** Says which network it is. */
  readonly config: VitConfig
  /** Names what stands for a whole image. */
  readonly embedding: EmbeddingKind
  /** Counts the numbers of an embedding. */
  readonly embeddingWidth: number
  /** Runs it. */
  readonly engine: Engine
  /** Counts the bytes of packed weights. */
  readonly byteLength: number
  /** Holds the norms of queries and keys by block; it is empty for a network without. */
  readonly headNorms: HeadNorms
  readonly #vit: VitModel
  readonly #tables: StoredTables
  readonly #rule: PositionRule
  readonly #plans = new Map<string, VitPlan>()
  readonly #programs = new Map<string, Program>()
  #model: EngineModel | null

  private constructor(
    vit: VitModel,
    engine: Engine,
    model: EngineModel,
    tables: StoredTables,
    headNorms: HeadNorms,
    rule: PositionRule,
    embeddingWidth: number,
  ) {
    this.config = vit.config
    this.embedding = vit.config.embedding ?? defaultEmbedding(vit.config)
    this.embeddingWidth = embeddingWidth
    this.engine = engine
    this.byteLength = model.byteLength
    this.#vit = vit
    this.#tables = tables
    this.headNorms = headNorms
    this.#rule = rule
    this.#model = model
  }

  /**
   * Reads and packs all weights. Throws `CheckpointError` from reading; `EngineError` `unsupported`, `out-of-memory`, `disposed`; RangeError for an
   * unknown option; the signal's reason.
   */
  static async load(vit: VitModel, engine: Engine, options: NetworkOptions = {}): Promise<Network> {
    checkOptionNames(options, NETWORK_OPTIONS)
    const rule = options.positions ?? vit.config.positions?.rule ?? 'antialias'
    const tables = await vit.readTables()
    const headNorms = await readHeadNorms(vit)
    const { plan, slots } = planOf(vit.config, tables)
    assertRuns(engine, plan)
    const { digest, signal } = options
    const digested: WeightSource = {
      async read(name, shape) {
        const values = await vit.weights.read(name, shape)
        await digest?.add(name, shape, values)
        return values
      },
      async stored(name, shape) {
        const values = (await vit.weights.stored?.(name, shape)) ?? null
        if (values === null || !digest?.wants(name)) return values
        return { ...values, digested: (states) => digest.addStates(name, shape, states) }
      },
    }
    await using packed = await findPacked(vit, engine, plan, options.packed)
    const loading: LoadingOptions = { ...given({ signal }), ...(packed === null ? {} : { packed }) }
    const model = await engine.load(plan, digested, loading)
    if (packed?.isUsed) digest?.know(packed.weights)
    return new Network(vit, engine, model, tables, headNorms, rule, slotLength(plan, slots.embedding))
  }

  /** Gives the weights as the engine has packed them, and how it has; null where it cannot run on such weights in a file. Throws `EngineError` `out-of-memory`, `disposed`. */
  async packed(): Promise<{ readonly bytes: PackedBytes; readonly facts: PackingFacts } | null> {
    const bytes = this.#model?.packed
    const { packing } = this.engine
    if (bytes === undefined || packing === undefined) return null
    return { bytes, facts: await packing.factsOf(planOf(this.config, this.#tables).plan) }
  }

  /**
   * Gives the patch grid of an input of this size in pixels.
   *
   * @param stride says how many pixels lie from one patch to the next; default: a patch's side, so that they do not overlap
   * @throws `wrong-size` where the patch does not divide the size, `unsupported` for patches that overlap in a network that knows their places otherwise
   */
  gridOf(size: readonly [height: number, width: number], stride = this.config.patchSize): PatchGrid {
    return stride === this.config.patchSize
      ? inputGrid(this.config, size)
      : overlappingGridOf(this.config, { stride, size })
  }

  /**
   * Gives the plan for a patch grid, and with it the names of its slots. The last few are kept. Throws `wrong-size` for a grid to which positions cannot be
   * brought; RangeError for an unknown option.
   */
  planFor(grid: PatchGrid, choice: PlanChoice = {}): VitPlan {
    checkOptionNames(choice, PLAN_CHOICE)
    const { positions: rule = this.#rule, ...others } = choice
    const chosen = { grid, rule, ...others }
    const key = JSON.stringify(chosen)
    const plan = this.#plans.get(key) ?? planOf(this.config, this.#tables, chosen)
    keepLast(this.#plans, key, plan, PROGRAMS_KEPT)
    return plan
  }

  /**
   * @param pixels float32 [B, C, height, width], normalised
   * @returns each output slot, float32 [B, ...shape]
   * @throws `EngineError` `wrong-size`, `out-of-memory`, `disposed`, `device-lost`; RangeError for an unknown option; the signal's reason
   */
  async run(pixels: Float32Array, options: RunOptions): Promise<ReadonlyMap<SlotName, Float32Array>> {
    checkOptionNames(options, RUN_OPTIONS)
    const { grid, outputs, batch = 1, signal, ...choice } = options
    const program = this.programFor(grid, outputs, choice)
    return await program.run(pixels, signal === undefined ? { batch } : { batch, signal })
  }

  /**
   * Computes one image with a part of its patches masked. Images that share a mask share a program.
   *
   * @param pixels float32 [1, C, height, width], normalised
   * @param choose names the slots that are wanted
   * @throws as `run`; `EngineError` `unsupported` for a network whose patches stand in windows, or that convolutions follow
   */
  async runMasked(
    pixels: Float32Array,
    { grid, masking, positions, signal }: MaskedRun,
    choose: (slots: VitPlan['slots']) => readonly SlotName[],
  ): Promise<{ readonly plan: VitPlan; readonly values: ReadonlyMap<SlotName, Float32Array> }> {
    assertMaskable(this.config)
    const choice = { masking, ...given({ positions }) }
    const plan = this.planFor(grid, choice)
    const program = this.programFor(grid, choose(plan.slots), choice)
    return { plan, values: await program.run(pixels, { batch: 1, ...given({ signal }) }) }
  }

  /** Gives the program for a grid and its outputs, which is kept and disposed of here. Throws as `planFor`, and `disposed`. */
  programFor(grid: PatchGrid, outputs: readonly SlotName[], choice: PlanChoice = {}): Program {
    if (this.#model === null) throw disposed('encoder')
    const key = JSON.stringify({ grid, positions: this.#rule, ...choice, outputs })
    const kept = this.#programs.get(key)
    const program = kept ?? this.#model.compile(this.planFor(grid, choice).plan, outputs)
    keepLast(this.#programs, key, program, PROGRAMS_KEPT)?.[Symbol.dispose]()
    return program
  }

  /** Reads a weight anew from the checkpoint, in float32. Throws as reading the checkpoint does. */
  async readWeight(name: string, shape: readonly number[]): Promise<Float32Array> {
    return await this.#vit.weights.read(name, shape)
  }

  /** Throws `non-finite`, naming the weight at fault where there is one, if any value is a NaN or an infinity. */
  async assertFinite(values: Float32Array): Promise<void> {
    if (values.every(Number.isFinite)) return
    const tensor = await this.#vit.findNonFinite()
    const overflow =
      this.engine.precision === 'float16'
        ? 'something in it is larger than half floats can hold (65504): take the precision float32 or bfloat16'
        : 'it overflowed'
    throw new EngineError(
      'non-finite',
      tensor === null
        ? `The result holds a NaN or an infinity although every weight is finite: the input is not a normalised image, or ${overflow}.`
        : `The result holds a NaN or an infinity because the weight ${tensor} does. The checkpoint is damaged: fetch it again.`,
    )
  }

  /** Gives weights and programs back; what is under way finishes first. */
  [Symbol.dispose](): void {
    for (const program of this.#programs.values()) program[Symbol.dispose]()
    this.#programs.clear()
    this.#model?.[Symbol.dispose]()
    this.#model = null
  }
}

/** Says what a plan is made for; default: the trained size, whose plan names all weights. */
interface MadePlan extends Omit<PlanChoice, 'positions'> {
  readonly grid?: PatchGrid
  readonly rule?: PositionRule
}

/** Throws `wrong-size` for a grid to which positions cannot be brought. */
export function planOf(
  config: VitConfig,
  tables: StoredTables,
  {
    grid = inputGrid(config, config.size),
    rule = config.positions?.rule ?? 'antialias',
    change,
    ...variant
  }: MadePlan = {},
): VitPlan {
  assertResampled(config, grid, rule)
  return planVit({ ...config, ...change }, grid, gridTables(config, tables, grid, rule), variant)
}

/** Gives null where the engine runs on no packed weights from files, or where there are none. */
export async function findPacked(
  { config }: VitModel,
  { packing, precision }: Engine,
  plan: Plan,
  packed: PackedWeights | undefined,
): Promise<FoundPacked | null> {
  if (packing === undefined || packed === undefined) return null
  const { instructionSet } = packing
  return await packed.find({ config, precision, instructionSet, facts: () => packing.factsOf(plan) })
}

/** Puts the entry last and drops the oldest beyond `count`, which is returned. */
function keepLast<T>(entries: Map<string, T>, key: string, value: T, count: number): T | undefined {
  entries.delete(key)
  entries.set(key, value)
  if (entries.size <= count) return undefined
  const [oldest] = entries
  if (oldest === undefined) return undefined
  entries.delete(oldest[0])
  return oldest[1]
}

/** Gives an output of a run by its slot. It must be one that was asked for. */
export function slotValues(values: ReadonlyMap<SlotName, Float32Array>, slot: SlotName): Float32Array {
  const found = values.get(slot)
  if (found !== undefined) return found
  throw new Error(
    `The run gave no values for the slot ${slot}; it was asked for ${[...values.keys()].join(', ')}.`,
  )
}
