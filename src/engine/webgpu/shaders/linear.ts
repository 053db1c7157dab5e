/** Multiplies rows with a weight, tile by tile: out = epilogue(A W^T). */
import type { LoweredOp } from '../../lowered/lowered-op.js'
import type { ActivationKind, Combination } from '../../ops.js'
import { each, type Tiled } from './tile.js'
import { activation, prelude } from './wgsl.js'

/** Gives a square of the output to a workgroup; each thread makes a square of it. */
export interface LinearTile extends Tiled {
  readonly side: number
  /** Is the side of a thread's square. */
  readonly own: number
  /** Counts the elements of the depth at a time: as many as give each thread one block of 4 x 4 to bring. */
  readonly depth: number
  /** Counts the groups of threads that share out the depth: small outputs have no other way to keep a GPU busy. */
  readonly slices: number
  /** Counts the steps of the depth that are written out, since not every compiler does it: as many as were seen to help. */
  readonly steps: number
}

/** All of them stay within 16 KiB of workgroup memory, which every device has. */
export const LINEAR_TILES: readonly LinearTile[] = [
  { side: 128, own: 8, depth: 16, slices: 1, steps: 4, fewest: 192 },
  { side: 64, own: 4, depth: 32, slices: 1, steps: 32, fewest: 128 },
  { side: 32, own: 4, depth: 16, slices: 4, steps: 4, fewest: 0 },
]

export interface Epilogue {
  readonly activation: ActivationKind
  readonly bias: boolean
  readonly gamma: boolean
  readonly combine: Combination
}

/** Gives what of an operation's end chooses the shader's text. */
export function epilogueOf({ activation, bias, gamma, combine }: LoweredOp): Epilogue {
  return { activation, bias: bias !== null, gamma: gamma !== null, combine }
}

export interface LinearShader extends Epilogue {
  /** `half` weights lie four to two words. */
  readonly weight: 'float' | 'half'
  /** Operands are rounded to this on their way into workgroup memory; their products and sums are float32. Halves need `shader-f16`. */
  readonly operand: 'float' | 'half'
  /** The depth is no multiple of four: what lies behind a row's end is not a number to multiply. */
  readonly ragged: boolean
  /**
   * Rows are patches of a picture that has a pixel to a row: `fours` where the channels are a multiple of four, so that four numbers are of one pixel, else
   * `singles`; absent where rows lie as they are.
   */
  readonly patches?: 'fours' | 'singles'
}

/** Finishes four sums `v` at row `r`, columns 4 `c` and on, and leaves them in `v`. The order is activation, gamma, sum or gate. */
export function epilogue({ bias, gamma, combine }: Epilogue): string {
  const other = 'arena[(p.second.offset + r * p.second.stride) / 4u + c]'
  return [
    bias ? 'v += rows[p.bias / 4u + c];' : '',
    combine === 'gate' ? `v *= activate(${other});` : 'v = activate(v);',
    gamma ? 'v *= rows[p.gamma / 4u + c];' : '',
    combine === 'add' ? `v += ${other};` : '',
  ]
    .filter((line) => line !== '')
    .join('\n      ')
}

/**
 * Reads operands four numbers at a time, as vectors of `operand`, with zeros beyond the edges. A number too large for a half becomes an
 * infinity, which whoever asked for the result hears of.
 */
export function operands({ weight, operand, ragged, patches }: Omit<LinearShader, keyof Epilogue>): string {
  const vector = operand === 'half' ? 'vec4<f16>' : 'vec4<f32>'
  const halves =
    operand === 'half'
      ? 'return bitcast<vec4<f16>>(weight[at]);'
      : 'let h = weight[at]; return vec4<f32>(unpack2x16float(h.x), unpack2x16float(h.y));'
  const masked = ragged
    ? 'select(vec4<f32>(0.0), v, vec4<u32>(q * 4u) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(p.input.width))'
    : 'v'
  const left = `let v = arena[(p.input.offset + r * p.input.stride) / 4u + q];
  return Vector(${masked});`
  return `
alias Vector = ${vector};
${patches === undefined ? '' : PIXEL_OF}fn loadLeft(r: u32, q: u32, count: u32, depth: u32) -> Vector {
  if (r >= count || q >= depth) { return Vector(); }
  ${patches === undefined ? left : PATCHES[patches]}
}
fn loadRight(n: u32, q: u32, depth: u32) -> Vector {
  if (n >= p.output.width || q >= depth) { return Vector(); }
  let at = p.weight + n * depth + q;
  ${weight === 'half' ? halves : 'return Vector(weight[at]);'}
}
`
}

/** Finds the row of the pixel that lies under a place of the kernel, for row `r` of all patches; -1 outside the picture. */
const PIXEL_OF = `fn pixelOf(r: u32, within: u32) -> i32 {
  let across = 1u + (p.planeWidth + 2u * p.padding - p.patchSize) / p.patchStride;
  let place = r % p.output.rows;
  let y = i32(place / across * p.patchStride + within / p.patchSize) - i32(p.padding);
  let x = i32(place % across * p.patchStride + within % p.patchSize) - i32(p.padding);
  if (y < 0 || x < 0 || y >= i32(p.planeHeight) || x >= i32(p.planeWidth)) { return -1; }
  return i32(r / p.output.rows * p.input.rows) + y * i32(p.planeWidth) + x;
}
`

/** Reads four numbers of a patch, whose channels lie side by side, pixel by pixel. */
const PATCHES = {
  fours: `let fours = p.input.width / 4u;
  let pixel = pixelOf(r, q / fours);
  if (pixel < 0) { return Vector(); }
  return Vector(arena[(p.input.offset + u32(pixel) * p.input.stride) / 4u + q % fours]);`,
  singles: `var v = vec4<f32>(0.0);
  for (var e = 0u; e < 4u; e++) {
    let k = q * 4u + e;
    if (k < p.patchSize * p.patchSize * p.input.width) {
      let pixel = pixelOf(r, k / p.input.width);
      let at = p.input.offset + u32(max(pixel, 0)) * p.input.stride + k % p.input.width;
      if (pixel >= 0) { v[e] = arena[at / 4u][at % 4u]; }
    }
  }
  return Vector(v);`,
} as const

/** Says how the buffers of a linear layer are seen. */
export function linearPrelude({ weight }: Pick<LinearShader, 'weight'>): string {
  return prelude({
    arena: 'vec4<f32>',
    rows: 'vec4<f32>',
    weight: weight === 'half' ? 'vec2<u32>' : 'vec4<f32>',
  })
}

/** Holds the counts that all parts of the shader share. */
interface Layout extends LinearTile {
  /** Operands are halves, and widened where they are multiplied. */
  readonly half: boolean
  /** Counts the threads side by side, and of a slice of the depth. */
  readonly across: number
  readonly threads: number
  /** Counts the vectors of the depth at a time. */
  readonly vectors: number
  /** Counts the vectors of four rows or columns, and those of an operand in workgroup memory. */
  readonly lines: number
  readonly size: number
  /** Counts the vectors of four columns in a thread's square. */
  readonly parts: number
}

function layoutOf({ operand }: LinearShader, tile: LinearTile): Layout {
  const { side, own, depth } = tile
  const half = operand === 'half'
  const across = side / own
  const lines = side / 4
  return {
    ...tile,
    half,
    // With halves nothing was seen to help, and drivers take long over much text.
    steps: half ? 1 : tile.steps,
    across,
    threads: across * across,
    vectors: depth / 4,
    lines,
    size: lines * depth,
    parts: own / 4,
  }
}

/**
 * Operands lie in workgroup memory depth by depth, so that a step of it takes two reads of four rows and four columns for sixteen products or more.
 * A thread turns its block of 4 x 4 on the way there; the next block is under way while this one is multiplied.
 */
export function linearShader(shader: LinearShader, tile: LinearTile): string {
  const layout = layoutOf(shader, tile)
  const { half, threads, vectors, depth, slices, steps } = layout
  return `${half ? 'enable f16;\n' : ''}${linearPrelude(shader)}
${activation(shader.activation)}${operands(shader)}
${memoryDeclarations(layout)}
@compute @workgroup_size(${threads * slices})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let count = p.${shader.patches === undefined ? 'input' : 'output'}.rows * p.batch;
  let depth = (${shader.patches === undefined ? '' : 'p.patchSize * p.patchSize * '}p.input.width + 3u) / 4u;
  ${placesOfThread(layout)}
  ${everySum(layout, (sum) => `var ${sum}: vec4<f32>;`).trimStart()}
  var f0: Vector; var f1: Vector; var f2: Vector; var f3: Vector;
  ${bringBlock('slice * VECTORS')}
  for (var q = 0u; q < depth; q += ${vectors * slices}u) {
    ${each(4, (e) => `block[to + ${e}u * LINES] = Vector(f0[${e}], f1[${e}], f2[${e}], f3[${e}]);`, '\n    ')}
    workgroupBarrier();
    ${bringBlock(`q + ${vectors * slices}u + slice * VECTORS`)}
    for (var k = 0u; k < ${depth}u; k += ${steps}u) {
      ${each(steps, (step) => multiplyStep(layout, step), '\n      ')}
    }
    workgroupBarrier();
  }
  ${slices > 1 ? addSlices(layout) : ''}
  ${writeSums(layout, shader)}
}
`
}

/** Repeats a line for each vector of four sums of a thread. */
function everySum({ own, parts }: Layout, line: (sum: string, index: number) => string): string {
  return each(own, (i) => each(parts, (j) => `    ${line(`sum${i}_${j}`, i * parts + j)}`))
}

/** Slices of the depth are added up where operands were, if those are float32. */
function sharesOf({ half }: Layout): string {
  return half ? 'shares' : 'block'
}

/** Declares the memory of a workgroup; the right operand lies behind the left, a slice behind the other. */
function memoryDeclarations({ half, lines, vectors, size, side, slices }: Layout): string {
  return `const LINES = ${lines}u;
const VECTORS = ${vectors}u;
const SIZE = ${size}u;
var<workgroup> block: array<Vector, ${2 * size * slices}>;
${slices > 1 && half ? `var<workgroup> shares: array<vec4<f32>, ${(side * side) / 4}>;` : ''}`
}

/**
 * Says which sums are a thread's, and which block of an operand it brings. Neighbouring threads write, and read, different banks: places within a row
 * are turned with the depth.
 */
function placesOfThread({ side, across, threads, size, vectors }: Layout): string {
  return `let row = group.y * ${side}u;
  let column = group.x * ${side}u;
  let slice = thread / ${threads}u;
  let index = thread % ${threads}u;
  let x = index % ${across}u;
  let y = index / ${across}u;
  let isLeft = index < ${threads / 2}u;
  let four = index % ${threads / 2}u / VECTORS;
  let part = index % VECTORS;
  let line = select(column, row, isLeft) + four * 4u;
  let begin = slice * ${2 * size}u;
  let to = begin + select(SIZE, 0u, isLeft) + part * 4u * LINES + (four ^ (part * ${8 / vectors}u));`
}

/** Reads the thread's block of 4 x 4 of an operand into `f0` to `f3`. */
function bringBlock(start: string): string {
  return `if (isLeft) {
      ${each(4, (e) => `f${e} = loadLeft(line + ${e}u, ${start} + part, count, depth);`, '\n      ')}
    } else {
      ${each(4, (e) => `f${e} = loadRight(line + ${e}u, ${start} + part, depth);`, '\n      ')}
    }`
}

/** Multiplies a thread's rows and columns at one place of the depth. */
function multiplyStep({ own, parts, across, vectors, half }: Layout, step: number): string {
  const widened = (read: string) => (half ? `vec4<f32>(${read})` : read)
  return `{
      let at = begin + (k + ${step}u) * LINES;
      let turn = (k + ${step}u) / 4u * ${8 / vectors}u;
      ${each(parts, (i) => `let a${i} = ${widened(`block[at + ((y * ${parts}u + ${i}u) ^ turn)]`)};`, '\n      ')}
      ${each(parts, (i) => `let b${i} = ${widened(`block[at + SIZE + ((x + ${i * across}u) ^ turn)]`)};`, '\n      ')}
      ${each(own, (i) => each(parts, (j) => `sum${i}_${j} = fma(vec4<f32>(a${i >> 2}.${'xyzw'[i & 3]}), b${j}, sum${i}_${j});`, ' '), '\n      ')}
    }`
}

/** Lets the first slice add up the sums of the others, which are done then. */
function addSlices(layout: Layout): string {
  const { slices, threads } = layout
  const shares = sharesOf(layout)
  return `for (var i = 1u; i < ${slices}u; i++) {
    if (slice == i) {
${everySum(layout, (sum, index) => `${shares}[${index * threads}u + index] = ${sum};`)}
    }
    workgroupBarrier();
    if (slice == 0u) {
${everySum(layout, (sum, index) => `${sum} += ${shares}[${index * threads}u + index];`)}
    }
    workgroupBarrier();
  }
  if (slice != 0u) { return; }`
}

/** Finishes a thread's sums and writes those that lie in the output. */
function writeSums({ own, parts, across }: Layout, shader: LinearShader): string {
  const write = (i: number, j: number) => `{
    let r = row + y * ${own}u + ${i}u;
    let c = column / 4u + x + ${j * across}u;
    if (r < count && c * 4u < p.output.width) {
      var v = sum${i}_${j};
      ${epilogue(shader)}
      arena[(p.output.offset + r * p.output.stride) / 4u + c] = v;
    }
  }`
  return each(own, (i) => each(parts, (j) => write(i, j)))
}
