/** Brings one operation together with what its dispatches depend on: which shader runs, what it is told, over how many workgroups. */
import type { LoweredPlan } from '../lowered/lower-plan.js'
import type { LoweredOp } from '../lowered/lowered-op.js'
import { sizeOf } from '../lowered/slot-sizes.js'
import { OPS } from '../ops.js'
import type { ConstantName, SlotName, WeightName } from '../plan.js'
import type { ShaderSupport } from './shader-support.js'

/** Says where a product's weight lies: `segment` is a buffer of its own; `offset` counts vectors of four in it. */
export interface ProductPlace {
  readonly segment: number
  readonly offset: number
  readonly half: boolean
}

/** Says where weights and constants lie; throws for those that are not there. */
export interface GpuPlaces {
  product(name: WeightName): ProductPlace
  /** Counts floats from the start of the buffer of all weights that are read as they are. */
  row(name: WeightName): number
  constant(name: ConstantName): number
}

export type Groups = readonly [x: number, y: number, z: number]

export interface Dispatch {
  readonly label: string
  readonly code: string
  readonly segment: number
  readonly op: LoweredOp
  /** Counts floats of one image that come before this output's. */
  readonly outputBase: number
  /** Counts multiplications, for sharing out work. */
  readonly cost: number
  readonly groups: Groups
}

/** Makes the dispatches of one kind of operation. */
export type DispatchMaker = (on: OpOnGpu) => readonly Dispatch[]

/** Counts the threads of the shaders that give an element to each. */
const FLAT_GROUP = 256
/** Limits the workgroups in one direction; what is more goes on in the next. */
const MOST_GROUPS = 32768

export class OpOnGpu {
  readonly op: LoweredOp
  readonly support: ShaderSupport
  readonly places: GpuPlaces
  readonly batch: number
  /** Counts the floats of each output for one image. */
  readonly outputLengths: readonly number[]
  readonly #lowered: LoweredPlan

  constructor(
    op: LoweredOp,
    lowered: LoweredPlan,
    places: GpuPlaces,
    outputLengths: readonly number[],
    support: ShaderSupport,
    batch: number,
  ) {
    this.op = op
    this.places = places
    this.support = support
    this.batch = batch
    this.#lowered = lowered
    this.outputLengths = outputLengths
  }

  get input(): readonly [rows: number, width: number] {
    return this.#size(this.op.input, this.op.inputRows)
  }

  get second(): readonly [rows: number, width: number] {
    return this.#size(this.op.second, null)
  }

  get output(): readonly [rows: number, width: number] {
    return this.#size(this.op.output, this.op.outputRows)
  }

  /** Gives rows and width of what the operation takes of a slot; zeros for one that it has not. */
  #size(slot: SlotName | null, part: readonly [number, number] | null): readonly [number, number] {
    if (slot === null) return [0, 0]
    const [rows, width] = sizeOf(slot, this.#lowered.sizes)
    return [part?.[1] ?? rows, width]
  }

  make(code: string, groups: Groups, more: Partial<Dispatch> = {}): Dispatch {
    const [rows, width] = this.input
    return {
      label: OPS[this.op.kind].label,
      code,
      segment: 0,
      op: this.op,
      outputBase: 0,
      cost: this.batch * rows * width,
      groups,
      ...more,
    }
  }

  /** Gives a thread to each of so many elements of one image. */
  flat(code: string, elements: number, more: Partial<Dispatch> = {}): Dispatch {
    return this.make(code, inRowsOf(Math.ceil((elements * this.batch) / FLAT_GROUP)), more)
  }

  /** Gives a thread to each value of the output. */
  flatOutput(code: string): readonly Dispatch[] {
    const [rows, width] = this.output
    return [this.flat(code, rows * width)]
  }
}

export function inRowsOf(groups: number): Groups {
  return groups <= MOST_GROUPS ? [groups, 1, 1] : [MOST_GROUPS, Math.ceil(groups / MOST_GROUPS), 1]
}
