/** Everything that works row by row: copies, patches, tokens, norms, element-wise steps, means. */
import { type Epilogue, epilogue } from './linear.js'
import { activation, forEach, prelude, SCALAR, VECTOR } from './wgsl.js'

/** Pixels, packed, become a slot's rows. An element to a thread, as in all that follow. */
export function copyInShader(): string {
  return `${prelude(SCALAR)}${forEach(
    'batch() * p.out.rows * p.out.width',
    `  arena[p.out.base + i / p.out.width * p.out.stride + i % p.out.width] = pixels[i];`,
  )}`
}

/** A slot's rows become packed outputs; or the pixels do, where the input itself is asked for. */
export function copyOutShader(pixels: boolean): string {
  const value = pixels ? 'pixels[i]' : 'arena[p.a.base + i / p.a.width * p.a.stride + i % p.a.width]'
  return `${prelude(SCALAR)}${forEach('batch() * p.a.rows * p.a.width', `  outputs[p.last.y + i] = ${value};`)}`
}

/** `numbers`: channels, height, width, patch. */
export function patchifyShader(planes: boolean): string {
  const value = planes
    ? 'pixels[((image * channels + c) * height + y) * width + x]'
    : 'arena[p.a.base + ((image * height + y) * width + x) * p.a.stride + c]'
  return `${prelude(SCALAR)}${forEach(
    'batch() * p.out.rows * p.out.width',
    `  let channels = p.numbers.x;
  let height = p.numbers.y;
  let width = p.numbers.z;
  let side = p.numbers.w;
  let across = width / side;
  let row = i / p.out.width;
  let image = row / p.out.rows;
  let cell = row % p.out.rows;
  let place = i % p.out.width;
  let c = place / (side * side);
  let y = cell / across * side + place / side % side;
  let x = cell % across * side + place % side;
  arena[p.out.base + row * p.out.stride + place] = ${value};`,
  )}`
}

export interface TokensShader {
  readonly classToken: boolean
  readonly positions: boolean
}

/** Class token, registers, patches with their positions. The class token lies at weights.x, registers at weights.z. */
export function tokensShader({ classToken, positions }: TokensShader): string {
  const head = classToken ? '1u' : '0u'
  return `${prelude(SCALAR)}${forEach(
    'batch() * p.out.rows * p.out.width',
    `  let row = i / p.out.width;
  let c = i % p.out.width;
  let token = row % p.out.rows;
  let special = p.out.rows - p.a.rows;
  let to = p.out.base + row * p.out.stride + c;
  if (token < ${head}) {
    arena[to] = rows[p.weights.x + c];
  } else if (token < special) {
    arena[to] = rows[p.weights.z + (token - ${head}) * p.out.width + c];
  } else {
    let cell = token - special;
    let v = arena[p.a.base + (row / p.out.rows * p.a.rows + cell) * p.a.stride + c];
    arena[to] = v${positions ? ' + constants[p.weights.w + cell * p.out.width + c]' : ''};
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

/** A workgroup to a row: mean, then the squares of what differs from it. */
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
  let inside = row < batch() * p.a.rows;
  let start = p.a.base + row * p.a.stride;
  let width = select(0u, p.a.width, inside);
  var mean = 0.0;
  ${
    kind === 'layerNorm'
      ? `var sum = 0.0;
  for (var c = thread; c < width; c += THREADS) { sum += arena[start + c]; }
  mean = sumOf(thread, ${call}, sum) / f32(p.a.width);`
      : ''
  }
  var squares = 0.0;
  for (var c = thread; c < width; c += THREADS) {
    let d = arena[start + c] - mean;
    squares = fma(d, d, squares);
  }
  let factor = 1.0 / sqrt(sumOf(thread, ${call}, squares) / f32(p.a.width) + bitcast<f32>(p.more.w));
  let to = p.out.base + row * p.out.stride;
  for (var c = thread; c < width; c += THREADS) {
    arena[to + c] = (arena[start + c] - mean) * factor * rows[p.norms.x + c]${bias ? ' + rows[p.norms.y + c]' : ''};
  }
}
`
}

export interface HeadNormShader {
  readonly query: Omit<NormShader, 'subgroups'> | null
  readonly key: Omit<NormShader, 'subgroups'> | null
}

/** Queries and keys of all heads, each head on its own, side by side into the temporary slot: a head's queries or keys to a thread. */
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
    let factor = 1.0 / sqrt(squares / f32(width) + bitcast<f32>(${epsilon}));
    for (var c = 0u; c < width; c++) {
      arena[to + c] = (arena[start + c] - mean) * factor * rows[${first} + c]${norm.bias ? ` + rows[${second} + c]` : ''};
    }`
  return `${prelude(SCALAR)}${forEach(
    'batch() * p.a.rows * heads() * 2u',
    `  let width = p.out.width / heads();
  let part = i % 2u;
  let head = i / 2u % heads();
  let row = i / (2u * heads());
  let at = part * p.out.width + head * width;
  let start = p.a.base + row * p.a.stride + at;
  let to = p.temporary.base + row * p.temporary.stride + at;
  if (part == 0u) {
    ${body(query, 'p.norms.x', 'p.norms.y', 'p.more.w')}
  } else {
    ${body(key, 'p.norms.z', 'p.norms.w', 'p.last.x')}
  }`,
  )}`
}

/** Four columns to a thread. */
export function elementwiseShader(step: Epilogue): string {
  return `${prelude(VECTOR)}${activation(step.activation)}${forEach(
    'batch() * p.a.rows * ((p.a.width + 3u) / 4u)',
    `  let vectors = (p.a.width + 3u) / 4u;
  let r = i / vectors;
  let c = i % vectors;
  var v = arena[(p.a.base + r * p.a.stride) / 4u + c];
      ${epilogue(step)}
  arena[(p.out.base + r * p.out.stride) / 4u + c] = v;`,
  )}`
}

/** `numbers`: the first row. */
export function sliceRowsShader(): string {
  return `${prelude(SCALAR)}${forEach(
    'batch() * p.out.rows * p.out.width',
    `  let row = i / p.out.width;
  let c = i % p.out.width;
  let start = row / p.out.rows * p.a.rows + row % p.out.rows + p.numbers.x;
  arena[p.out.base + row * p.out.stride + c] = arena[p.a.base + start * p.a.stride + c];`,
  )}`
}

/** A column of an image to a thread; blocks of 32 rows are summed on their own first, so that rounding grows slowly with the number of rows. */
export function meanRowsShader(): string {
  return `${prelude(SCALAR)}${forEach(
    'batch() * p.a.width',
    `  let image = i / p.a.width;
  let c = i % p.a.width;
  var total = 0.0;
  for (var start = 0u; start < p.a.rows; start += 32u) {
    var sum = 0.0;
    for (var r = start; r < min(start + 32u, p.a.rows); r++) {
      sum += arena[p.a.base + (image * p.a.rows + r) * p.a.stride + c];
    }
    total += sum;
  }
  arena[p.out.base + image * p.out.stride + c] = total / f32(p.a.rows);`,
  )}`
}

export function broadcastShader(): string {
  return `${prelude(SCALAR)}${forEach(
    'batch() * p.out.rows * p.out.width',
    `  let row = i / p.out.width;
  let c = i % p.out.width;
  arena[p.out.base + row * p.out.stride + c] = rows[p.weights.x + row % p.out.rows * p.out.width + c];`,
  )}`
}

/**
 * Rows in the order [image][group][row] become [group][image][row], or back: a group's rows of all images then lie together, as one product
 * wants them. `numbers`: groups, whether back.
 */
export function regroupShader(): string {
  return `${prelude(SCALAR)}${forEach(
    'batch() * p.a.rows * p.a.width',
    `  let c = i % p.a.width;
  let row = i / p.a.width;
  let each = p.a.rows / p.numbers.x;
  let image = row / p.a.rows;
  let member = row % p.a.rows / each;
  let grouped = (member * batch() + image) * each + row % each;
  let to = select(grouped, row, p.numbers.y == 1u);
  let start = select(row, grouped, p.numbers.y == 1u);
  arena[p.out.base + to * p.out.stride + c] = arena[p.a.base + start * p.a.stride + c];`,
  )}`
}
