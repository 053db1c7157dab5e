/** Products of rows with a weight: out = epilogue(A W^T), tile by tile. */
import type { Combination } from '../../lowered/lowered-op.js'
import type { ActivationKind } from '../../plan.js'
import { activation, prelude } from './wgsl.js'

/** Rows and columns of the output that a workgroup makes: each of its 16 x 16 threads makes 4 x 4. */
export const TILE = 64

export interface Epilogue {
  readonly activation: ActivationKind
  readonly bias: boolean
  readonly gamma: boolean
  readonly combine: Combination
}

export interface LinearShader extends Epilogue {
  /** `half`: weights are halves, four to two words. */
  readonly weight: 'float' | 'half'
  /** What operands are rounded to on their way into workgroup memory; their products and sums are float32. Halves need `shader-f16`. */
  readonly operand: 'float' | 'half'
  /** The depth is no multiple of four: what lies behind a row's end is not a number to multiply. */
  readonly ragged: boolean
}

/** What happens to four sums `v` at row `r`, columns 4 `c` and on; leaves them in `v`. In this order: activation, gamma, sum or gate. */
export function epilogue({ bias, gamma, combine }: Epilogue): string {
  const other = 'arena[(p.b.base + r * p.b.stride) / 4u + c]'
  return [
    bias ? 'v += rows[p.weights.y / 4u + c];' : '',
    combine === 'gate' ? `v *= activate(${other});` : 'v = activate(v);',
    gamma ? 'v *= rows[p.weights.z / 4u + c];' : '',
    combine === 'add' ? `v += ${other};` : '',
  ]
    .filter((line) => line !== '')
    .join('\n      ')
}

/**
 * What products read, four numbers at a time, as vectors of `operand`; zeros beyond the edges. A number too large for a half becomes an infinity,
 * which whoever asked for the result hears of.
 */
export function operands({ weight, operand, ragged }: Omit<LinearShader, keyof Epilogue>): string {
  const vector = operand === 'half' ? 'vec4<f16>' : 'vec4<f32>'
  const halves =
    operand === 'half'
      ? 'return bitcast<vec4<f16>>(weight[at]);'
      : 'let h = weight[at]; return vec4<f32>(unpack2x16float(h.x), unpack2x16float(h.y));'
  const masked = ragged
    ? 'select(vec4<f32>(0.0), v, vec4<u32>(q * 4u) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(p.a.width))'
    : 'v'
  return `
alias Vector = ${vector};
fn loadLeft(r: u32, q: u32, count: u32, depth: u32) -> Vector {
  if (r >= count || q >= depth) { return Vector(); }
  let v = arena[(p.a.base + r * p.a.stride) / 4u + q];
  return Vector(${masked});
}
fn loadRight(n: u32, q: u32, depth: u32) -> Vector {
  if (n >= p.out.width || q >= depth) { return Vector(); }
  let at = p.weights.x + n * depth + q;
  ${weight === 'half' ? halves : 'return Vector(weight[at]);'}
}
`
}

/** How the buffers of a linear layer are seen. */
export function linearPrelude({ weight }: Pick<LinearShader, 'weight'>): string {
  return prelude({
    arena: 'vec4<f32>',
    rows: 'vec4<f32>',
    weight: weight === 'half' ? 'vec2<u32>' : 'vec4<f32>',
  })
}

export function linearShader(shader: LinearShader): string {
  return `${shader.operand === 'half' ? 'enable f16;\n' : ''}${linearPrelude(shader)}
${activation(shader.activation)}${operands(shader)}
const TILE = ${TILE}u;
const STEP = 4u; // Vectors of the depth at a time.
// Four vectors to a row, and one more after every four rows, so that neighbouring threads read from different banks.
var<workgroup> left: array<Vector, ${TILE * 4 + TILE / 4}>;
var<workgroup> right: array<Vector, ${TILE * 4 + TILE / 4}>;
fn place(row: u32, q: u32) -> u32 { return row * 4u + row / 4u + q; }
@compute @workgroup_size(16, 16)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_id) thread: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
) {
  let count = p.a.rows * batch();
  let depth = (p.a.width + 3u) / 4u;
  let row = group.y * TILE;
  let column = group.x * TILE;
  var sums: array<vec4<f32>, 4>;
  for (var q = 0u; q < depth; q += STEP) {
    let own = index / 4u;
    let part = index % 4u;
    left[place(own, part)] = loadLeft(row + own, q + part, count, depth);
    right[place(own, part)] = loadRight(column + own, q + part, depth);
    workgroupBarrier();
    for (var k = 0u; k < STEP; k++) {
      let b0 = vec4<f32>(right[place(thread.x * 4u, k)]);
      let b1 = vec4<f32>(right[place(thread.x * 4u + 1u, k)]);
      let b2 = vec4<f32>(right[place(thread.x * 4u + 2u, k)]);
      let b3 = vec4<f32>(right[place(thread.x * 4u + 3u, k)]);
      for (var r = 0u; r < 4u; r++) {
        let a = vec4<f32>(left[place(thread.y * 4u + r, k)]);
        sums[r] += vec4<f32>(dot(a, b0), dot(a, b1), dot(a, b2), dot(a, b3));
      }
    }
    workgroupBarrier();
  }
  let c = column / 4u + thread.x;
  if (c * 4u < p.out.width) {
    for (var i = 0u; i < 4u; i++) {
      let r = row + thread.y * 4u + i;
      if (r >= count) { break; }
      var v = sums[i];
      ${epilogue(shader)}
      arena[(p.out.base + r * p.out.stride) / 4u + c] = v;
    }
  }
}
`
}
