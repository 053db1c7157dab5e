/** Makes dispatches of a lowered plan on a batch of images. Products and attention choose among shaders here; the others stand beside their shader. */
import { placeIn } from '../lowered/encode-ops.js'
import type { LoweredPlan } from '../lowered/lower-plan.js'
import type { LoweredOp } from '../lowered/lowered-op.js'
import type { OpKind, PortableOpKind } from '../ops.js'
import type { ConstantName, WeightName } from '../plan.js'
import { type Dispatch, type DispatchMaker, type GpuPlaces, type Groups, OpOnGpu } from './op-on-gpu.js'
import type { ShaderSupport } from './shader-support.js'
import { attentionShader, type Operands, QUERIES } from './shaders/attention.js'
import { ATTENTION_WEIGHTS_DISPATCHES } from './shaders/attention-weights.js'
import { epilogueOf, LINEAR_TILES, linearShader } from './shaders/linear.js'
import { MAP_DISPATCHES } from './shaders/maps.js'
import { matrixLinearShader, matrixTiles, sidesOf } from './shaders/matrix.js'
import { NORM_DISPATCHES } from './shaders/norms.js'
import { PARAMS_BYTES, writeParams } from './shaders/params.js'
import { PROBE_DISPATCHES } from './shaders/probe.js'
import { quadAttentionShader, quadTiles } from './shaders/quad-attention.js'
import { ROW_DISPATCHES } from './shaders/rows.js'
import { changeOf } from './shaders/score-change.js'
import { chooseTile } from './shaders/tile.js'
import { TURN_DISPATCHES } from './shaders/turn.js'

export function dispatchesOf(
  lowered: LoweredPlan,
  places: GpuPlaces,
  outputLengths: readonly number[],
  support: ShaderSupport,
  batch: number,
): readonly Dispatch[] {
  return lowered.ops.flatMap((op) =>
    makerOf(op.kind)(new OpOnGpu(op, lowered, places, outputLengths, support, batch)),
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

/** Makes the dispatches of each kind. */
const MAKERS: Readonly<Record<PortableOpKind, DispatchMaker>> = {
  ...ROW_DISPATCHES,
  ...NORM_DISPATCHES,
  ...PROBE_DISPATCHES,
  ...TURN_DISPATCHES,
  ...ATTENTION_WEIGHTS_DISPATCHES,
  ...MAP_DISPATCHES,
  linear,
  conv2d,
  attention,
}

/** Steps of other operations are refused before anything is loaded. */
function makerOf(kind: OpKind): DispatchMaker {
  const makers: Partial<Record<OpKind, DispatchMaker>> = MAKERS
  const make = makers[kind]
  if (make === undefined) throw new Error(`The GPU has no operation ${kind}.`)
  return make
}

function linear(on: OpOnGpu): readonly Dispatch[] {
  const { op, support, batch } = on
  if (op.weight === null) throw new Error('A linear operation has a weight.')
  const [rows, depth] = on.input
  const [, width] = on.output
  const { segment, half } = on.places.product(op.weight.name)
  const shader = {
    ...epilogueOf(op),
    weight: half ? 'half' : 'float',
    operand: support.half && half ? 'half' : 'float',
    ragged: depth % 4 !== 0,
  } as const
  const { matrix, memory, onlyTile } = support
  const groupsOf = (tileRows: number, columns: number) =>
    [Math.ceil(width / columns), Math.ceil((rows * batch) / tileRows), 1] as const
  const more = { segment, cost: batch * rows * depth * width }
  // A network that halves would lose is not multiplied by units that take halves alone.
  if (matrix === null || (matrix.component === 'f16' && !half)) {
    const tile = chooseTile(LINEAR_TILES, ({ side }) => numberOf(groupsOf(side, side)), onlyTile)
    return [on.make(linearShader(shader, tile), groupsOf(tile.side, tile.side), more)]
  }
  const tiles = matrixTiles(matrix, memory)
  const tile = chooseTile(tiles, (some) => numberOf(groupsOf(...sidesOf(some))), onlyTile)
  return [on.make(matrixLinearShader(shader, matrix, tile), groupsOf(...sidesOf(tile)), more)]
}

/** Convolutions take no matrix units: what they read is gathered pixel by pixel. */
function conv2d(on: OpOnGpu): readonly Dispatch[] {
  const { op, support, batch } = on
  if (op.weight === null) throw new Error('A convolution has a weight.')
  const [, channels] = on.input
  const [places, width] = on.output
  const depth = op.patchSize ** 2 * channels
  const { segment, half } = on.places.product(op.weight.name)
  const shader = {
    ...epilogueOf(op),
    weight: half ? 'half' : 'float',
    operand: support.half && half ? 'half' : 'float',
    ragged: false,
    patches: channels % 4 === 0 ? 'fours' : 'singles',
  } as const
  const groupsOf = (side: number) => [Math.ceil(width / side), Math.ceil((places * batch) / side), 1] as const
  const tile = chooseTile(LINEAR_TILES, ({ side }) => numberOf(groupsOf(side)), support.onlyTile)
  const more = { segment, cost: batch * places * depth * width }
  return [on.make(linearShader(shader, tile), groupsOf(tile.side), more)]
}

function attention(on: OpOnGpu): readonly Dispatch[] {
  const { op, batch } = on
  const { memory, subgroups, onlyTile } = on.support
  const operands = operandsOf(op)
  const [outRows, outWidth] = on.output
  const rows = operands === 'weight-query' ? [outRows, on.input[0]] : [on.input[0], on.second[0]]
  const [queries = 0, keys = 0] = rows.map((count) => count / op.groups)
  // A group is like an image of its own.
  const images = batch * op.groups
  const cost = 2 * images * queries * keys * outWidth
  const groupsOf = (each: number) => [Math.ceil(queries / each), op.heads, images] as const
  const shader = { operands, headWidth: outWidth / op.heads, change: changeOf(op) }
  const tiles = subgroups ? quadTiles(operands, shader.headWidth, memory, op.scoreBias) : []
  if (tiles.length === 0) {
    return [on.make(attentionShader({ ...shader, memory }), groupsOf(QUERIES), { cost })]
  }
  const tile = chooseTile(tiles, ({ quads }) => numberOf(groupsOf(4 * quads)), onlyTile)
  return [on.make(quadAttentionShader(shader, tile), groupsOf(4 * tile.quads), { cost })]
}

function operandsOf({ weightOperand }: LoweredOp): Operands {
  return weightOperand === 'none' ? 'slots' : `weight-${weightOperand}`
}

function numberOf([x, y, z]: Groups): number {
  return x * y * z
}
