// Generated from src/engine/ops.ts by scripts/generate-ops.mjs: change the table and run `node scripts/generate-ops.mjs`.
/** Tells a shader of an operation: the text of the structure, and how it is filled. */
import type { NormPlace, PlacedOp, SlotPlace } from '../../lowered/lowered-op.js'

/** Counts the bytes from one operation's uniforms to the next: offsets of uniforms are multiples of it. */
export const PARAMS_BYTES = 256

/** A slot's offset and stride count floats, whatever the view; the offset is that of the batch, rows are those of one image. */
export const PARAMS = `
struct Slot { offset: u32, rows: u32, width: u32, stride: u32 }
struct Norm { weight: u32, bias: u32, epsilon: f32, unused0: u32 }
struct Params {
  input: Slot,
  second: Slot,
  output: Slot,
  norm: Norm,
  keyNorm: Norm,
  weight: u32,
  bias: u32,
  gamma: u32,
  constant: u32,
  columnTable: u32,
  keyCounts: u32,
  rowIndex: u32,
  headIndex: u32,
  gridRows: u32,
  gridColumns: u32,
  heads: u32,
  headCount: u32,
  tables: u32,
  pairsNeighbours: u32,
  scale: f32,
  outputIndex: u32,
  inputAt: u32,
  inputLength: u32,
  channels: u32,
  planeHeight: u32,
  planeWidth: u32,
  patchSize: u32,
  patchStride: u32,
  padding: u32,
  taps: u32,
  takesLargest: u32,
  id: u32,
  keysAt: u32,
  valuesAt: u32,
  firstRow: u32,
  latents: u32,
  groups: u32,
  isBack: u32,
  choices: u32,
  capacity: u32,
  expert: u32,
  batch: u32,
  outputBase: u32,
}`

/**
 * Writes the uniforms of one operation.
 *
 * @param outputBase floats of the batch that come before this output's
 * @param words the operation's part of the buffer
 */
export function writeParams(
  op: PlacedOp,
  batch: number,
  outputBase: number,
  words: ArrayBuffer,
  byteOffset: number,
): void {
  const whole = new Uint32Array(words, byteOffset, PARAMS_BYTES / 4)
  const real = new Float32Array(words, byteOffset, PARAMS_BYTES / 4)
  const writeSlot = (at: number, { offset, rows, width, stride }: SlotPlace) =>
    whole.set([offset * batch, rows, width, stride], at)
  const writeNorm = (at: number, { weight, bias, epsilon }: NormPlace) => {
    whole.set([placeOf(weight), placeOf(bias)], at)
    real[at + 2] = epsilon
  }
  writeSlot(0, op.input)
  writeSlot(4, op.second)
  writeSlot(8, op.output)
  writeNorm(12, op.norm)
  writeNorm(16, op.keyNorm)
  whole[20] = placeOf(op.weight.offset)
  whole[21] = placeOf(op.bias)
  whole[22] = placeOf(op.gamma)
  whole[23] = placeOf(op.constant)
  whole[24] = placeOf(op.columnTable)
  whole[25] = placeOf(op.keyCounts)
  whole[26] = placeOf(op.rowIndex)
  whole[27] = placeOf(op.headIndex)
  whole[28] = op.gridRows
  whole[29] = op.gridColumns
  whole[30] = op.heads
  whole[31] = op.headCount
  whole[32] = op.tables
  whole[33] = op.pairsNeighbours ? 1 : 0
  real[34] = op.scale
  whole[35] = op.outputIndex
  whole[36] = op.inputAt
  whole[37] = op.inputLength
  whole[38] = op.channels
  whole[39] = op.planeHeight
  whole[40] = op.planeWidth
  whole[41] = op.patchSize
  whole[42] = op.patchStride
  whole[43] = op.padding
  whole[44] = op.taps
  whole[45] = op.takesLargest ? 1 : 0
  whole[46] = op.id
  whole[47] = op.keysAt
  whole[48] = op.valuesAt
  whole[49] = op.firstRow
  whole[50] = op.latents
  whole[51] = op.groups
  whole[52] = op.isBack ? 1 : 0
  whole[53] = op.choices
  whole[54] = op.capacity
  whole[55] = op.expert
  whole[56] = batch
  whole[57] = outputBase
}

/** What is not there is not read. */
function placeOf(offset: number): number {
  return Math.max(0, offset)
}
