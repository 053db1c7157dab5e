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

/** Holds the counts that all parts of the shader share. */
interface Layout extends MatrixTile, MatrixUnit {
  /** Counts the rows and columns of a workgroup's part, and its threads. */
  readonly rows: number
  readonly columns: number
  readonly threads: number
  /** Counts elements from one row to the next in workgroup memory. */
  readonly stride: number
  /** Counts a subgroup's matrices of sums, one below the other and side by side. */
  readonly sumRows: number
  readonly sumColumns: number
  /** Counts the vectors of the left and of the right operand that a thread brings. */
  readonly lefts: number
  readonly rights: number
}

function layoutOf(unit: MatrixUnit, tile: MatrixTile): Layout {
  const { side, depth } = tile
  const [rows, columns] = sidesOf(tile)
  const threads = threadsOf(tile, unit)
  return {
    ...unit,
    ...tile,
    rows,
    columns,
    threads,
    stride: strideOf(depth, unit),
    sumRows: side / unit.m,
    sumColumns: side / unit.n,
    lefts: (rows * depth) / 4 / threads,
    rights: (columns * depth) / 4 / threads,
  }
}

export function matrixLinearShader(
  shader: Omit<LinearShader, 'operand'>,
  unit: MatrixUnit,
  tile: MatrixTile,
): string {
  const layout = layoutOf(unit, tile)
  const { component, subgroupSize, sizeControl, threads, depth, k, lefts, rights } = layout
  return `${component === 'f16' ? 'enable f16;\n' : ''}enable subgroups;
${sizeControl ? 'enable subgroup_size_control;\n' : ''}enable chromium_experimental_subgroup_matrix;
${linearPrelude(shader)}
${activation(shader.activation)}${operands({ ...shader, operand: component === 'f16' ? 'half' : 'float' })}
${memoryDeclarations(layout)}
${sizeControl ? `@subgroup_size(${subgroupSize}) ` : ''}@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let count = p.input.rows * p.batch;
  let depth = (p.input.width + 3u) / 4u;
  ${placesOfThread(layout)}
  ${everySum(layout, (sum) => `var ${sum} = Sums();`)}
  ${each(lefts, (i) => `var f${i}: Vector;`, ' ')}
  ${each(rights, (i) => `var g${i}: Vector;`, ' ')}
${bringOperands(layout, '0u')}
  for (var start = 0u; start < depth; start += VECTORS) {
    ${putOperands(layout)}
    workgroupBarrier();
${bringOperands(layout, 'start + VECTORS')}
    for (var k = 0u; k < ${depth}u; k += ${k}u) {
      ${multiplyMatrices(layout)}
    }
    workgroupBarrier();
  }
  ${writeSums(layout, shader)}
}
`
}

/** Repeats lines for each of a subgroup's matrices of sums. */
function everySum(
  { sumRows, sumColumns }: Layout,
  lines: (sum: string, i: number, j: number) => string,
): string {
  return each(sumRows, (i) => each(sumColumns, (j) => lines(`sum${i}_${j}`, i, j), '\n  '), '\n  ')
}

/** Declares the types of matrices, and the memory of a workgroup: both operands, and the sums of one matrix of each subgroup. */
function memoryDeclarations({ component, m, n, k, down, across, depth, ...layout }: Layout): string {
  const { rows, columns, threads, stride } = layout
  return `alias Element = ${component};
alias Left = subgroup_matrix_left<Element, ${k}, ${m}>;
alias Right = subgroup_matrix_right<Element, ${n}, ${k}>;
alias Sums = subgroup_matrix_result<f32, ${n}, ${m}>;
const STRIDE = ${stride}u;
const VECTORS = ${depth / 4}u;
const LINES = ${threads / (depth / 4)}u;
var<workgroup> left: array<Element, ${rows * stride}>;
var<workgroup> right: array<Element, ${columns * stride}>;
var<workgroup> staged: array<f32, ${down * across * m * n}>;`
}

/** Says which square is the subgroup's, and which rows of the operands a thread brings: all threads bring LINES rows together. */
function placesOfThread({ rows, columns, across, side }: Layout): string {
  return `let row = group.y * ${rows}u;
  let column = group.x * ${columns}u;
  let top = subgroup / ${across}u * ${side}u;
  let side = subgroup % ${across}u * ${side}u;
  let own = thread / VECTORS;
  let part = thread % VECTORS;
  let place = own * STRIDE + part * 4u;`
}

/** Reads a thread's vectors of both operands into `f0`... and `g0`... */
function bringOperands({ lefts, rights }: Layout, start: string): string {
  return `${each(lefts, (i) => `    f${i} = loadLeft(row + own + ${i}u * LINES, ${start} + part, count, depth);`)}
${each(rights, (i) => `    g${i} = loadRight(column + own + ${i}u * LINES, ${start} + part, depth);`)}`
}

/** Puts what was brought into the memory of the workgroup. */
function putOperands({ lefts, rights }: Layout): string {
  const put = (to: string, from: string, i: number) =>
    each(4, (e) => `${to}[place + ${i}u * LINES * STRIDE + ${e}u] = ${from}${i}[${e}];`, ' ')
  return `${each(lefts, (i) => put('left', 'f', i), '\n    ')}
    ${each(rights, (i) => put('right', 'g', i), '\n    ')}`
}

/** Multiplies all of a subgroup's matrices at one place of the depth. */
function multiplyMatrices({ sumRows, sumColumns, m, n }: Layout): string {
  return `${each(sumRows, (i) => `let a${i} = subgroupMatrixLoad<Left, row_major>(&left, (top + ${i * m}u) * STRIDE + k, STRIDE);`, '\n      ')}
      ${each(
        sumColumns,
        (j) => `{
        let b = subgroupMatrixLoad<Right, col_major>(&right, (side + ${j * n}u) * STRIDE + k, STRIDE);
        ${each(sumRows, (i) => `sum${i}_${j} = subgroupMatrixMultiplyAccumulate(a${i}, b, sum${i}_${j});`, '\n        ')}
      }`,
        '\n      ',
      )}`
}

/** Finishes the sums and writes them. They go through memory, since which lane holds which element of a matrix is the device's own affair. */
function writeSums(layout: Layout, shader: Omit<LinearShader, 'operand'>): string {
  const { m, n, subgroupSize } = layout
  return `let begin = subgroup * ${m * n}u;
  ${everySum(
    layout,
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
  )}`
}
