/** A lowered plan on a batch of images as dispatches: which shader, told what, over how many workgroups. */
import { strideOf } from '../lowered/arena.js'
import type { LoweredPlan } from '../lowered/lower-plan.js'
import { sizeOf } from '../lowered/lower-step.js'
import type { LoweredOp } from '../lowered/lowered-op.js'
import type { NormWeights, SlotName } from '../plan.js'
import type { ShaderSupport } from './shader-support.js'
import { attentionShader, type Operands, probeShader, QUERIES } from './shaders/attention.js'
import { type Epilogue, LINEAR_TILES, linearShader } from './shaders/linear.js'
import { matrixLinearShader, matrixTiles, sidesOf } from './shaders/matrix.js'
import { quadAttentionShader, quadTiles } from './shaders/quad-attention.js'
import {
  broadcastShader,
  copyInShader,
  copyOutShader,
  elementwiseShader,
  headNormShader,
  meanRowsShader,
  normShader,
  patchifyShader,
  regroupShader,
  sliceRowsShader,
  tokensShader,
} from './shaders/rows.js'
import { chooseTile } from './shaders/tile.js'
import { PARAMS_BYTES } from './shaders/wgsl.js'

/** Where a product's weight lies: `segment` is a buffer of its own; `offset` counts vectors of four in it. */
export interface ProductPlace {
  readonly segment: number
  readonly offset: number
  readonly half: boolean
}

/** Where weights lie. */
export interface Places {
  product(name: string): ProductPlace
  /** Floats from the start of the buffer of all weights that are read as they are. */
  row(name: string): number
  constant(name: string): number
}

export interface Dispatch {
  readonly label: string
  readonly code: string
  readonly segment: number
  /** What of the operation's numbers depends on the batch is filled in by `encodeParams`. */
  readonly op: LoweredOp
  readonly weightOffset: number
  /** Floats of one image that come before this output's. */
  readonly outputOffset: number
  /** Multiplications, for sharing out work. */
  readonly cost: number
  readonly groups: readonly [number, number, number]
}

export function dispatchesOf(
  lowered: LoweredPlan,
  places: Places,
  outputLengths: readonly number[],
  support: ShaderSupport,
  batch: number,
): readonly Dispatch[] {
  return lowered.ops.flatMap((op) => {
    const size = (slot: SlotName | null) => (slot === null ? [0, 0] : sizeOf(slot, lowered.sizes))
    return dispatchesFor(op, size, places, outputLengths, support, batch)
  })
}

/** Threads of the shaders that give an element to each. */
const FLAT_GROUP = 256
/** Workgroups in one direction; what is more goes on in the next. */
const MOST_GROUPS = 32768

function dispatchesFor(
  op: LoweredOp,
  size: (slot: SlotName | null) => readonly number[],
  places: Places,
  outputLengths: readonly number[],
  support: ShaderSupport,
  batch: number,
): readonly Dispatch[] {
  const [inRows, inWidth] = [op.inputRows?.[1] ?? size(op.input)[0], size(op.input)[1]]
  const [outRows, outWidth] = [op.outputRows?.[1] ?? size(op.output)[0], size(op.output)[1]]
  const make = (
    label: string,
    code: string,
    groups: Dispatch['groups'],
    more: Partial<Dispatch> = {},
  ): Dispatch => ({
    label,
    code,
    segment: 0,
    op,
    weightOffset: op.weight === null || op.kind === 'linear' ? 0 : places.row(op.weight.name),
    outputOffset: 0,
    cost: batch * inRows * inWidth,
    groups,
    ...more,
  })
  const flat = (label: string, code: string, elements: number, more: Partial<Dispatch> = {}) =>
    make(label, code, inRowsOf(Math.ceil((elements * batch) / FLAT_GROUP)), more)
  switch (op.kind) {
    case 'copyIn':
      return [flat('copy in', copyInShader(), outRows * outWidth)]
    case 'copyOut': {
      const [index] = op.numbers
      const outputOffset = outputLengths.slice(0, index).reduce((sum, length) => sum + length, 0)
      return [flat('copy out', copyOutShader(op.input === null), outputLengths[index], { outputOffset })]
    }
    case 'patchifyPlanes':
    case 'patchifyRows':
      return [flat(op.kind, patchifyShader(op.kind === 'patchifyPlanes'), outRows * outWidth)]
    case 'linear': {
      const { segment, offset, half } = places.product(op.weight?.name ?? '')
      const shader = {
        ...epilogueOf(op),
        weight: half ? 'half' : 'float',
        operand: support.half ? 'half' : 'float',
        ragged: inWidth % 4 !== 0,
      } as const
      const { matrix, memory, onlyTile } = support
      const groupsOf = (rows: number, columns: number) =>
        [Math.ceil(outWidth / columns), Math.ceil((inRows * batch) / rows), 1] as const
      const more = { segment, weightOffset: offset, cost: batch * inRows * inWidth * outWidth }
      if (matrix === null) {
        const tile = chooseTile(LINEAR_TILES, ({ side }) => numberOf(groupsOf(side, side)), onlyTile)
        return [make('linear', linearShader(shader, tile), groupsOf(tile.side, tile.side), more)]
      }
      const tiles = matrixTiles(matrix, memory)
      const tile = chooseTile(tiles, (some) => numberOf(groupsOf(...sidesOf(some))), onlyTile)
      return [make('linear', matrixLinearShader(shader, matrix, tile), groupsOf(...sidesOf(tile)), more)]
    }
    case 'assembleTokens': {
      const code = tokensShader({ classToken: op.weight !== null, positions: op.positions !== null })
      return [flat('tokens', code, outRows * outWidth)]
    }
    case 'norm': {
      const code = normShader({ ...normOf(op.norm), subgroups: support.subgroups })
      return [make('norm', code, inRowsOf(inRows * batch))]
    }
    case 'attention': {
      const normed = op.temporary !== null
      const operands: Operands =
        op.weightOperand === 'query'
          ? 'weight-query'
          : op.weightOperand === 'key'
            ? 'weight-key'
            : normed
              ? 'normed'
              : 'slots'
      const { memory, subgroups, onlyTile } = support
      const shader = { operands, headWidth: outWidth / op.heads }
      const queries = operands === 'weight-query' ? outRows : inRows
      const keys = operands === 'weight-query' ? inRows : size(op.second)[0]
      const cost = 2 * batch * queries * keys * outWidth
      const groupsOf = (each: number) => [Math.ceil(queries / each), op.heads, batch] as const
      const tiles = subgroups ? quadTiles(operands, shader.headWidth, memory) : []
      const attendByQuads = () => {
        const tile = chooseTile(tiles, ({ quads }) => numberOf(groupsOf(4 * quads)), onlyTile)
        return make('attention', quadAttentionShader(shader, tile), groupsOf(4 * tile.quads), { cost })
      }
      const attend =
        tiles.length > 0
          ? attendByQuads()
          : make('attention', attentionShader({ ...shader, memory }), groupsOf(QUERIES), { cost })
      if (!normed) return [attend]
      const norms = headNormShader({
        query: op.norm === null ? null : normOf(op.norm),
        key: op.keyNorm === null ? null : normOf(op.keyNorm),
      })
      return [flat('norms of queries and keys', norms, inRows * op.heads * 2), attend]
    }
    case 'elementwise':
      return [flat('elementwise', elementwiseShader(epilogueOf(op)), inRows * Math.ceil(inWidth / 4))]
    case 'sliceRows':
      return [flat('slice', sliceRowsShader(), outRows * outWidth)]
    case 'meanRows':
      return [flat('mean', meanRowsShader(), inWidth)]
    case 'broadcast':
      return [flat('broadcast', broadcastShader(), outRows * outWidth)]
    case 'probeAttention': {
      const [latents] = op.numbers
      return [
        make('probe', probeShader({ heads: op.heads }), [latents, batch, 1], {
          cost: 2 * batch * latents * inRows * inWidth,
        }),
      ]
    }
    case 'regroup':
      return [flat('regroup', regroupShader(), inRows * inWidth)]
    case 'convert':
      throw new Error('everything is float32 here')
  }
}

function numberOf([x, y, z]: Dispatch['groups']): number {
  return x * y * z
}

function inRowsOf(groups: number): readonly [number, number, number] {
  return groups <= MOST_GROUPS ? [groups, 1, 1] : [MOST_GROUPS, Math.ceil(groups / MOST_GROUPS), 1]
}

function epilogueOf({ activation, bias, gamma, combine }: LoweredOp): Epilogue {
  return { activation, bias: bias !== null, gamma: gamma !== null, combine }
}

/** A root mean square norm has no shift. */
function normOf(norm: NormWeights | null): { kind: NormWeights['kind']; bias: boolean } {
  const kind = norm?.kind ?? 'layerNorm'
  return { kind, bias: kind === 'layerNorm' && (norm?.bias ?? null) !== null }
}

/** What a dispatch is told, in the layout of `Params` in shaders/wgsl.ts. */
export function encodeParams(
  dispatches: readonly Dispatch[],
  lowered: LoweredPlan,
  places: Places,
  batch: number,
): ArrayBuffer {
  const buffer = new ArrayBuffer(dispatches.length * PARAMS_BYTES)
  dispatches.forEach((dispatch, index) => {
    const whole = new Uint32Array(buffer, index * PARAMS_BYTES, PARAMS_BYTES / 4)
    const real = new Float32Array(buffer, index * PARAMS_BYTES, PARAMS_BYTES / 4)
    const { op } = dispatch
    const slot = (at: number, name: SlotName | null, part: readonly [number, number] | null = null) => {
      if (name === null) return
      const [rows, width] = sizeOf(name, lowered.sizes)
      const [first, count] = part ?? [0, rows]
      const stride = strideOf(width)
      whole.set([((lowered.arena.offsets.get(name) ?? 0) + first * stride) * batch, count, width, stride], at)
    }
    const row = (name: string | null | undefined) =>
      name === null || name === undefined ? 0 : places.row(name)
    slot(0, op.input, op.inputRows)
    slot(4, op.second)
    slot(8, op.output, op.outputRows)
    slot(12, op.temporary)
    // The input given back as an output has no place in the arena: one row.
    if (op.kind === 'copyOut' && op.input === null) whole.set([0, 1, op.numbers[1], 0], 0)
    const positions = op.positions === null ? 0 : places.constant(op.positions)
    whole.set([dispatch.weightOffset, row(op.bias), row(op.gamma), positions], 16)
    whole.set([...op.numbers, 0, 0, 0, 0].slice(0, 4), 20)
    whole.set([row(op.norm?.weight), row(op.norm?.bias), row(op.keyNorm?.weight), row(op.keyNorm?.bias)], 24)
    whole.set([batch, op.heads], 28)
    real.set([op.scale, op.norm?.epsilon ?? 0], 30)
    real[32] = op.keyNorm?.epsilon ?? 0
    whole[33] = dispatch.outputOffset * batch
  })
  return buffer
}
