/** Makes dispatches of a lowered plan on a batch of images: which shader runs, what it is told, over how many workgroups. */
import { placeIn } from '../lowered/encode-ops.js'
import type { LoweredPlan } from '../lowered/lower-plan.js'
import type { LoweredOp } from '../lowered/lowered-op.js'
import { sizeOf } from '../lowered/slot-sizes.js'
import { OPS, type OpKind } from '../ops.js'
import type { ConstantName, NormWeights, SlotName, WeightName } from '../plan.js'
import type { ShaderSupport } from './shader-support.js'
import { attentionShader, type Operands, probeShader, QUERIES } from './shaders/attention.js'
import { type Epilogue, LINEAR_TILES, linearShader } from './shaders/linear.js'
import { matrixLinearShader, matrixTiles, sidesOf } from './shaders/matrix.js'
import { PARAMS_BYTES, writeParams } from './shaders/params.js'
import { quadAttentionShader, quadTiles } from './shaders/quad-attention.js'
import {
  broadcastShader,
  copyInShader,
  copyOutShader,
  elementwiseShader,
  headNormShader,
  maxRowsShader,
  meanRowsShader,
  normShader,
  patchifyShader,
  regroupShader,
  sliceRowsShader,
  tokensShader,
} from './shaders/rows.js'
import { chooseTile } from './shaders/tile.js'

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

type Groups = readonly [x: number, y: number, z: number]

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

/** Counts the threads of the shaders that give an element to each. */
const FLAT_GROUP = 256
/** Limits the workgroups in one direction; what is more goes on in the next. */
const MOST_GROUPS = 32768

export function dispatchesOf(
  lowered: LoweredPlan,
  places: GpuPlaces,
  outputLengths: readonly number[],
  support: ShaderSupport,
  batch: number,
): readonly Dispatch[] {
  return lowered.ops.flatMap((op) =>
    MAKERS[op.kind](new OpOnGpu(op, lowered, places, outputLengths, support, batch)),
  )
}

/** Writes what each dispatch is told, one behind the other. */
export function encodeParams(
  dispatches: readonly Dispatch[],
  lowered: LoweredPlan,
  places: GpuPlaces,
  batch: number,
): ArrayBuffer {
  const buffer = new ArrayBuffer(dispatches.length * PARAMS_BYTES)
  const placed = {
    weight: ({ name, form }: { name: WeightName; form: string }) =>
      form === 'rows' ? places.row(name) : places.product(name).offset,
    constant: (name: ConstantName) => places.constant(name),
  }
  dispatches.forEach(({ op, outputBase }, index) => {
    writeParams(placeIn(lowered, op, placed), batch, outputBase * batch, buffer, index * PARAMS_BYTES)
  })
  return buffer
}

/** Brings one operation together with what its dispatches depend on. */
class OpOnGpu {
  readonly op: LoweredOp
  readonly support: ShaderSupport
  readonly places: GpuPlaces
  readonly batch: number
  readonly #lowered: LoweredPlan
  readonly #outputLengths: readonly number[]

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
    this.#outputLengths = outputLengths
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

  copyOut(): readonly Dispatch[] {
    const { outputIndex, input } = this.op
    const [length] = this.#outputLengths.slice(outputIndex)
    if (length === undefined) throw new Error(`The plan has no output number ${outputIndex}.`)
    const outputBase = this.#outputLengths.slice(0, outputIndex).reduce((sum, each) => sum + each, 0)
    return [this.flat(copyOutShader(input === null), length, { outputBase })]
  }
}

/** Makes the dispatches of each kind. */
const MAKERS = {
  copyIn: (on) => on.flatOutput(copyInShader()),
  copyOut: (on) => on.copyOut(),
  patchifyPlanes: (on) => on.flatOutput(patchifyShader(true)),
  patchifyRows: (on) => on.flatOutput(patchifyShader(false)),
  linear,
  assembleTokens: (on) => {
    const { weight, constant } = on.op
    return on.flatOutput(tokensShader({ classToken: weight !== null, positions: constant !== null }))
  },
  norm: (on) => {
    const code = normShader({ ...normOf(on.op.norm), subgroups: on.support.subgroups })
    return [on.make(code, inRowsOf(on.input[0] * on.batch))]
  },
  attention: (on) => {
    if (on.op.temporary === null) return [attend(on)]
    const { norm, keyNorm, heads } = on.op
    const code = headNormShader({
      query: norm === null ? null : normOf(norm),
      key: keyNorm === null ? null : normOf(keyNorm),
    })
    const norms = on.flat(code, on.input[0] * heads * 2, { label: 'norms of queries and keys' })
    return [norms, attend(on)]
  },
  elementwise: (on) => {
    const [rows, width] = on.input
    return [on.flat(elementwiseShader(epilogueOf(on.op)), rows * Math.ceil(width / 4))]
  },
  sliceRows: (on) => on.flatOutput(sliceRowsShader()),
  meanRows: (on) => [on.flat(meanRowsShader(), on.input[1])],
  maxRows: (on) => [on.flat(maxRowsShader(), on.input[1])],
  broadcast: (on) => on.flatOutput(broadcastShader(on.op.constant === null ? 'rows' : 'constants')),
  probeAttention: (on) => {
    const { latents, heads } = on.op
    const [rows, width] = on.input
    const cost = 2 * on.batch * latents * rows * width
    return [on.make(probeShader({ heads }), [latents, on.batch, 1], { cost })]
  },
  regroup: (on) => {
    const [rows, width] = on.input
    return [on.flat(regroupShader(), rows * width)]
  },
  convert: () => {
    throw new Error('Everything is float32 on a GPU: there is nothing to convert.')
  },
} as const satisfies Record<OpKind, (on: OpOnGpu) => readonly Dispatch[]>

function linear(on: OpOnGpu): readonly Dispatch[] {
  const { op, support, batch } = on
  if (op.weight === null) throw new Error('A linear operation has a weight.')
  const [rows, depth] = on.input
  const [, width] = on.output
  const { segment, half } = on.places.product(op.weight.name)
  const shader = {
    ...epilogueOf(op),
    weight: half ? 'half' : 'float',
    operand: support.half ? 'half' : 'float',
    ragged: depth % 4 !== 0,
  } as const
  const { matrix, memory, onlyTile } = support
  const groupsOf = (tileRows: number, columns: number) =>
    [Math.ceil(width / columns), Math.ceil((rows * batch) / tileRows), 1] as const
  const more = { segment, cost: batch * rows * depth * width }
  if (matrix === null) {
    const tile = chooseTile(LINEAR_TILES, ({ side }) => numberOf(groupsOf(side, side)), onlyTile)
    return [on.make(linearShader(shader, tile), groupsOf(tile.side, tile.side), more)]
  }
  const tiles = matrixTiles(matrix, memory)
  const tile = chooseTile(tiles, (some) => numberOf(groupsOf(...sidesOf(some))), onlyTile)
  return [on.make(matrixLinearShader(shader, matrix, tile), groupsOf(...sidesOf(tile)), more)]
}

function attend(on: OpOnGpu): Dispatch {
  const { op, batch } = on
  const { memory, subgroups, onlyTile } = on.support
  const operands = operandsOf(op)
  const [outRows, outWidth] = on.output
  const [queries, keys] = operands === 'weight-query' ? [outRows, on.input[0]] : [on.input[0], on.second[0]]
  const cost = 2 * batch * queries * keys * outWidth
  const groupsOf = (each: number) => [Math.ceil(queries / each), op.heads, batch] as const
  const shader = { operands, headWidth: outWidth / op.heads }
  const tiles = subgroups ? quadTiles(operands, shader.headWidth, memory) : []
  if (tiles.length === 0) {
    return on.make(attentionShader({ ...shader, memory }), groupsOf(QUERIES), { cost })
  }
  const tile = chooseTile(tiles, ({ quads }) => numberOf(groupsOf(4 * quads)), onlyTile)
  return on.make(quadAttentionShader(shader, tile), groupsOf(4 * tile.quads), { cost })
}

function operandsOf({ weightOperand, temporary }: LoweredOp): Operands {
  if (weightOperand !== 'none') return `weight-${weightOperand}`
  return temporary === null ? 'slots' : 'normed'
}

function numberOf([x, y, z]: Groups): number {
  return x * y * z
}

function inRowsOf(groups: number): Groups {
  return groups <= MOST_GROUPS ? [groups, 1, 1] : [MOST_GROUPS, Math.ceil(groups / MOST_GROUPS), 1]
}

function epilogueOf({ activation, bias, gamma, combine }: LoweredOp): Epilogue {
  return { activation, bias: bias !== null, gamma: gamma !== null, combine }
}

/** A root mean square norm has no shift. */
function normOf(norm: NormWeights | null): { kind: NormWeights['kind']; bias: boolean } {
  if (norm === null) throw new Error('A norm has weights.')
  return { kind: norm.kind, bias: norm.kind === 'layerNorm' && norm.bias !== null }
}
