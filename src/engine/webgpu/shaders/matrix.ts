/**
 * Computes linear layers on a GPU's matrix units, as far as WebGPU reaches them: Dawn's experimental subgroup matrices, which a subgroup holds together and
 * multiplies in one instruction. Operands are halves (or float32 where a device has that), sums float32.
 * https://github.com/gpuweb/gpuweb/blob/main/proposals/subgroup-matrix.md
 */
import type { MatrixUnit } from '../matrix-unit.js'
import { epilogue, type LinearShader, linearPrelude, operands } from './linear.js'
import { each, type Tiled } from './tile.js'
import { activation } from './wgsl.js'

/** Every device lets a workgroup have so many threads. */
const MOST_THREADS = 256

/** Gives a part of the output to a workgroup, and a square of it to each of its subgroups. */
export interface MatrixTile extends Tiled {
  /** Is the side of a subgroup's square. */
  readonly side: number
  /** Counts the subgroups one below the other, and side by side. */
  readonly down: number
  readonly across: number
  /** Counts the elements of the depth at a time. */
  readonly depth: number
}

const LARGE: MatrixTile = { side: 32, down: 2, across: 4, depth: 32, fewest: 96 }
const SMALL: MatrixTile = { side: 16, down: 1, across: 4, depth: 64, fewest: 0 }

const bytesOf = ({ component }: MatrixUnit) => (component === 'f16' ? 2 : 4)
/** Counts elements from one row to the next in workgroup memory: 16 bytes more than a row has, so that rows begin at different banks. */
const strideOf = (depth: number, unit: MatrixUnit) => depth + 16 / bytesOf(unit)
const threadsOf = ({ down, across }: MatrixTile, { subgroupSize }: MatrixUnit) => down * across * subgroupSize

/** Gives rows and columns of a workgroup's part. */
export function sidesOf({ side, down, across }: MatrixTile): readonly [rows: number, columns: number] {
  return [side * down, side * across]
}

/** Lists those that the unit's matrices divide and a workgroup of the device has room for, the larger first. */
export function matrixTiles(unit: MatrixUnit, memory: number): readonly MatrixTile[] {
  const large = threadsOf(LARGE, unit) <= MOST_THREADS ? LARGE : { ...LARGE, across: 2 }
  return [large, SMALL].filter((tile) => {
    const { side, depth } = tile
    const threads = threadsOf(tile, unit)
    const shares = sidesOf(tile).map((lines) => (lines * depth) / 4 / threads)
    return (
      [side / unit.m, side / unit.n, depth / unit.k, ...shares].every(Number.isInteger) &&
      threads <= MOST_THREADS &&
      memoryOf(tile, unit) <= memory
    )
  })
}

function memoryOf(tile: MatrixTile, unit: MatrixUnit): number {
  const [rows, columns] = sidesOf(tile)
  const sums = tile.down * tile.across * unit.m * unit.n * 4
  return (rows + columns) * strideOf(tile.depth, unit) * bytesOf(unit) + sums
}

export function matrixLinearShader(
  shader: Omit<LinearShader, 'operand'>,
  unit: MatrixUnit,
  tile: MatrixTile,
): string {
  const { m, n, k, component, subgroupSize, sizeControl } = unit
  const { side, depth } = tile
  const [rows, columns] = sidesOf(tile)
  const threads = threadsOf(tile, unit)
  const stride = strideOf(depth, unit)
  const [down, across] = [side / m, side / n]
  const sharesOf = (lines: number) => (lines * depth) / 4 / threads
  const [lefts, rights] = [sharesOf(rows), sharesOf(columns)]
  const bring = (start: string) =>
    [
      each(lefts, (i) => `    f${i} = loadLeft(row + own + ${i}u * LINES, ${start} + part, count, depth);`),
      each(rights, (i) => `    g${i} = loadRight(column + own + ${i}u * LINES, ${start} + part, depth);`),
    ].join('\n')
  const put = (to: string, from: string, i: number) =>
    each(4, (e) => `${to}[place + ${i}u * LINES * STRIDE + ${e}u] = ${from}${i}[${e}];`, ' ')
  const everySum = (line: (sum: string, i: number, j: number) => string, separator?: string) =>
    each(down, (i) => each(across, (j) => line(`sum${i}_${j}`, i, j), separator), separator)
  return `${component === 'f16' ? 'enable f16;\n' : ''}enable subgroups;
${sizeControl ? 'enable subgroup_size_control;\n' : ''}enable chromium_experimental_subgroup_matrix;
${linearPrelude(shader)}
${activation(shader.activation)}${operands({ ...shader, operand: component === 'f16' ? 'half' : 'float' })}
alias Element = ${component};
alias Left = subgroup_matrix_left<Element, ${k}, ${m}>;
alias Right = subgroup_matrix_right<Element, ${n}, ${k}>;
alias Sums = subgroup_matrix_result<f32, ${n}, ${m}>;
const STRIDE = ${stride}u;
const VECTORS = ${depth / 4}u; // Of the depth at a time.
const LINES = ${threads / (depth / 4)}u; // Rows that all threads bring together.
var<workgroup> left: array<Element, ${rows * stride}>;
var<workgroup> right: array<Element, ${columns * stride}>;
var<workgroup> staged: array<f32, ${tile.down * tile.across * m * n}>;
${sizeControl ? `@subgroup_size(${subgroupSize}) ` : ''}@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let count = p.input.rows * p.batch;
  let depth = (p.input.width + 3u) / 4u;
  let row = group.y * ${rows}u;
  let column = group.x * ${columns}u;
  let top = subgroup / ${tile.across}u * ${side}u;
  let side = subgroup % ${tile.across}u * ${side}u;
  let own = thread / VECTORS;
  let part = thread % VECTORS;
  let place = own * STRIDE + part * 4u;
  ${everySum((sum) => `var ${sum} = Sums();`, '\n  ')}
  ${each(lefts, (i) => `var f${i}: Vector;`, ' ')}
  ${each(rights, (i) => `var g${i}: Vector;`, ' ')}
${bring('0u')}
  for (var start = 0u; start < depth; start += VECTORS) {
    ${each(lefts, (i) => put('left', 'f', i), '\n    ')}
    ${each(rights, (i) => put('right', 'g', i), '\n    ')}
    workgroupBarrier();
${bring('start + VECTORS')}
    for (var k = 0u; k < ${depth}u; k += ${k}u) {
      ${each(down, (i) => `let a${i} = subgroupMatrixLoad<Left, row_major>(&left, (top + ${i * m}u) * STRIDE + k, STRIDE);`, '\n      ')}
      ${each(
        across,
        (j) => `{
        let b = subgroupMatrixLoad<Right, col_major>(&right, (side + ${j * n}u) * STRIDE + k, STRIDE);
        ${each(down, (i) => `sum${i}_${j} = subgroupMatrixMultiplyAccumulate(a${i}, b, sum${i}_${j});`, '\n        ')}
      }`,
        '\n      ',
      )}
    }
    workgroupBarrier();
  }
  let begin = subgroup * ${m * n}u;
  ${everySum(
    (sum, i, j) => `subgroupMatrixStore<row_major>(&staged, begin, ${sum}, ${n}u);
  workgroupBarrier();
  for (var e = lane; e < ${(m * n) / 4}u; e += ${subgroupSize}u) {
    let r = row + top + ${i * m}u + e / ${n / 4}u;
    let c = (column + side + ${j * n}u) / 4u + e % ${n / 4}u;
    if (r < count && c * 4u < p.output.width) {
      let at = begin + e * 4u;
      var v = vec4<f32>(staged[at], staged[at + 1u], staged[at + 2u], staged[at + 3u]);
      ${epilogue(shader)}
      arena[(p.output.offset + r * p.output.stride) / 4u + c] = v;
    }
  }
  workgroupBarrier();`,
    '\n  ',
  )}
}
`
}
