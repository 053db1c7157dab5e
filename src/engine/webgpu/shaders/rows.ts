/** Makes the shaders that work row by row: copies, patches, tokens, norms, element-wise steps, means. */
import { type Epilogue, epilogue } from './linear.js'
import { activation, forEach, prelude, SCALAR, VECTOR } from './wgsl.js'

/** Turns packed pixels into a slot's rows. A thread has an element, as in all that follow. */
export function copyInShader(): string {
  return `${prelude(SCALAR)}${forEach(
    'p.batch * p.output.rows * p.output.width',
    `  arena[p.output.offset + i / p.output.width * p.output.stride + i % p.output.width] = pixels[i];`,
  )}`
}

/** Packs a slot's rows as outputs; or the pixels, where the input itself is asked for. */
export function copyOutShader(pixels: boolean): string {
  const value = pixels
    ? 'pixels[i]'
    : 'arena[p.input.offset + i / p.input.width * p.input.stride + i % p.input.width]'
  return `${prelude(SCALAR)}${forEach('p.batch * p.input.rows * p.input.width', `  outputs[p.outputBase + i] = ${value};`)}`
}

/** Cuts the pixels, or a slot that has a pixel to a row, into patches. */
export function patchifyShader(planes: boolean): string {
  const value = planes
    ? 'pixels[((image * channels + c) * height + y) * width + x]'
    : 'arena[p.input.offset + ((image * height + y) * width + x) * p.input.stride + c]'
  return `${prelude(SCALAR)}${forEach(
    'p.batch * p.output.rows * p.output.width',
    `  let channels = p.channels;
  let height = p.planeHeight;
  let width = p.planeWidth;
  let side = p.patchSize;
  let across = width / side;
  let row = i / p.output.width;
  let image = row / p.output.rows;
  let cell = row % p.output.rows;
  let place = i % p.output.width;
  let c = place / (side * side);
  let y = cell / across * side + place / side % side;
  let x = cell % across * side + place % side;
  arena[p.output.offset + row * p.output.stride + place] = ${value};`,
  )}`
}

export interface TokensShader {
  readonly classToken: boolean
  readonly positions: boolean
}

/** Puts the class token and the registers, which are weights, before the patches with their positions. */
export function tokensShader({ classToken, positions }: TokensShader): string {
  const head = classToken ? '1u' : '0u'
  return `${prelude(SCALAR)}${forEach(
    'p.batch * p.output.rows * p.output.width',
    `  let row = i / p.output.width;
  let c = i % p.output.width;
  let token = row % p.output.rows;
  let special = p.output.rows - p.input.rows;
  let to = p.output.offset + row * p.output.stride + c;
  if (token < ${head}) {
    arena[to] = rows[p.weight + c];
  } else if (token < special) {
    arena[to] = rows[p.gamma + (token - ${head}) * p.output.width + c];
  } else {
    let cell = token - special;
    let v = arena[p.input.offset + (row / p.output.rows * p.input.rows + cell) * p.input.stride + c];
    arena[to] = v${positions ? ' + constants[p.constant + cell * p.output.width + c]' : ''};
  }`,
  )}`
}

export interface NormShader {
  readonly kind: 'layerNorm' | 'rmsNorm'
  readonly bias: boolean
  /** Sums over the threads of a subgroup in one instruction. */
  readonly subgroups: boolean
}

const NORM_THREADS = 128

/** Gives a row to a workgroup, which takes the mean, then the squares of what differs from it. */
export function normShader({ kind, bias, subgroups }: NormShader): string {
  const sum = subgroups
    ? `fn sumOf(thread: u32, lane: u32, size: u32, value: f32) -> f32 {
  let own = subgroupAdd(value);
  if (lane == 0u) { partial[thread / size] = own; }
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < (THREADS + size - 1u) / size; i++) { total += partial[i]; }
  workgroupBarrier();
  return total;
}`
    : `fn sumOf(thread: u32, lane: u32, size: u32, value: f32) -> f32 {
  partial[thread] = value;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) { partial[thread] += partial[thread + half]; }
  }
  workgroupBarrier();
  let total = partial[0];
  workgroupBarrier();
  return total;
}`
  const lanes = subgroups
    ? ', @builtin(subgroup_invocation_id) lane: u32, @builtin(subgroup_size) size: u32'
    : ''
  const call = subgroups ? 'lane, size' : '0u, 0u'
  return `${subgroups ? 'enable subgroups;\n' : ''}${prelude(SCALAR)}
const THREADS = ${NORM_THREADS}u;
var<workgroup> partial: array<f32, THREADS>;
${sum}
@compute @workgroup_size(${NORM_THREADS})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32${lanes},
) {
  let row = group.y * groups.x + group.x;
  let inside = row < p.batch * p.input.rows;
  let start = p.input.offset + row * p.input.stride;
  let width = select(0u, p.input.width, inside);
  var mean = 0.0;
  ${
    kind === 'layerNorm'
      ? `var sum = 0.0;
  for (var c = thread; c < width; c += THREADS) { sum += arena[start + c]; }
  mean = sumOf(thread, ${call}, sum) / f32(p.input.width);`
      : ''
  }
  var squares = 0.0;
  for (var c = thread; c < width; c += THREADS) {
    let d = arena[start + c] - mean;
    squares = fma(d, d, squares);
  }
  let factor = 1.0 / sqrt(sumOf(thread, ${call}, squares) / f32(p.input.width) + p.norm.epsilon);
  let to = p.output.offset + row * p.output.stride;
  for (var c = thread; c < width; c += THREADS) {
    arena[to + c] = (arena[start + c] - mean) * factor * rows[p.norm.weight + c]${bias ? ' + rows[p.norm.bias + c]' : ''};
  }
}
`
}

export interface HeadNormShader {
  readonly query: Omit<NormShader, 'subgroups'> | null
  readonly key: Omit<NormShader, 'subgroups'> | null
}

/** Puts queries and keys, each head normed on its own, side by side into the temporary slot. A thread has a head's query or key. */
export function headNormShader({ query, key }: HeadNormShader): string {
  const body = (
    norm: Omit<NormShader, 'subgroups'> | null,
    first: string,
    second: string,
    epsilon: string,
  ) =>
    norm === null
      ? 'for (var c = 0u; c < width; c++) { arena[to + c] = arena[start + c]; }'
      : `var mean = 0.0;
    ${norm.kind === 'layerNorm' ? 'for (var c = 0u; c < width; c++) { mean += arena[start + c]; }\n    mean /= f32(width);' : ''}
    var squares = 0.0;
    for (var c = 0u; c < width; c++) {
      let d = arena[start + c] - mean;
      squares = fma(d, d, squares);
    }
    let factor = 1.0 / sqrt(squares / f32(width) + ${epsilon});
    for (var c = 0u; c < width; c++) {
      arena[to + c] = (arena[start + c] - mean) * factor * rows[${first} + c]${norm.bias ? ` + rows[${second} + c]` : ''};
    }`
  return `${prelude(SCALAR)}${forEach(
    'p.batch * p.input.rows * p.heads * 2u',
    `  let width = p.output.width / p.heads;
  let part = i % 2u;
  let head = i / 2u % p.heads;
  let row = i / (2u * p.heads);
  let at = part * p.output.width + head * width;
  let start = p.input.offset + row * p.input.stride + at;
  let to = p.temporary.offset + row * p.temporary.stride + at;
  if (part == 0u) {
    ${body(query, 'p.norm.weight', 'p.norm.bias', 'p.norm.epsilon')}
  } else {
    ${body(key, 'p.keyNorm.weight', 'p.keyNorm.bias', 'p.keyNorm.epsilon')}
  }`,
  )}`
}

/** Gives four columns to a thread. */
export function elementwiseShader(step: Epilogue): string {
  return `${prelude(VECTOR)}${activation(step.activation)}${forEach(
    'p.batch * p.input.rows * ((p.input.width + 3u) / 4u)',
    `  let vectors = (p.input.width + 3u) / 4u;
  let r = i / vectors;
  let c = i % vectors;
  var v = arena[(p.input.offset + r * p.input.stride) / 4u + c];
      ${epilogue(step)}
  arena[(p.output.offset + r * p.output.stride) / 4u + c] = v;`,
  )}`
}

/** Keeps rows from the first one on. */
export function sliceRowsShader(): string {
  return `${prelude(SCALAR)}${forEach(
    'p.batch * p.output.rows * p.output.width',
    `  let row = i / p.output.width;
  let c = i % p.output.width;
  let start = row / p.output.rows * p.input.rows + row % p.output.rows + p.firstRow;
  arena[p.output.offset + row * p.output.stride + c] = arena[p.input.offset + start * p.input.stride + c];`,
  )}`
}

/** Gives a column of an image to a thread. Blocks of 32 rows are summed on their own first, so that rounding grows slowly with the number of rows. */
export function meanRowsShader(): string {
  return `${prelude(SCALAR)}${forEach(
    'p.batch * p.input.width',
    `  let image = i / p.input.width;
  let c = i % p.input.width;
  var total = 0.0;
  for (var start = 0u; start < p.input.rows; start += 32u) {
    var sum = 0.0;
    for (var r = start; r < min(start + 32u, p.input.rows); r++) {
      sum += arena[p.input.offset + (image * p.input.rows + r) * p.input.stride + c];
    }
    total += sum;
  }
  arena[p.output.offset + image * p.output.stride + c] = total / f32(p.input.rows);`,
  )}`
}

/** Gives a column of an image to a thread. A value that is no number is kept, where the device knows such values. */
export function maxRowsShader(): string {
  return `${prelude(SCALAR)}${forEach(
    'p.batch * p.input.width',
    `  let image = i / p.input.width;
  let c = i % p.input.width;
  let first = p.input.offset + image * p.input.rows * p.input.stride + c;
  var largest = arena[first];
  for (var r = 1u; r < p.input.rows; r++) {
    let value = arena[first + r * p.input.stride];
    largest = select(largest, value, value > largest || value != value);
  }
  arena[p.output.offset + image * p.output.stride + c] = largest;`,
  )}`
}

/** Puts the rows of a weight, or of a constant, into the slot of every image. */
export function broadcastShader(source: 'rows' | 'constants'): string {
  const place = source === 'rows' ? 'p.weight' : 'p.constant'
  return `${prelude(SCALAR)}${forEach(
    'p.batch * p.output.rows * p.output.width',
    `  let row = i / p.output.width;
  let c = i % p.output.width;
  arena[p.output.offset + row * p.output.stride + c] = ${source}[${place} + row % p.output.rows * p.output.width + c];`,
  )}`
}

/**
 * Rows in the order [image][group][row] become [group][image][row], or back: a group's rows of all images then lie together, as one product
 * wants them.
 */
export function regroupShader(): string {
  return `${prelude(SCALAR)}${forEach(
    'p.batch * p.input.rows * p.input.width',
    `  let c = i % p.input.width;
  let row = i / p.input.width;
  let each = p.input.rows / p.groups;
  let image = row / p.input.rows;
  let member = row % p.input.rows / each;
  let grouped = (member * p.batch + image) * each + row % each;
  let to = select(grouped, row, p.isBack == 1u);
  let start = select(row, grouped, p.isBack == 1u);
  arena[p.output.offset + to * p.output.stride + c] = arena[p.input.offset + start * p.input.stride + c];`,
  )}`
}
