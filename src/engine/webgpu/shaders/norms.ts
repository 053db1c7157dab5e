/** Makes the shaders that normalise rows: layer norm and root mean square norm, of whole rows and of an attention's heads. */
import type { OpKind } from '../../ops.js'
import type { NormWeights } from '../../plan.js'
import { type DispatchMaker, inRowsOf } from '../op-on-gpu.js'
import { forEach, prelude, SCALAR } from './wgsl.js'

export interface NormShader {
  readonly kind: 'layerNorm' | 'rmsNorm'
  readonly bias: boolean
  /** Sums over the threads of a subgroup in one instruction. */
  readonly subgroups: boolean
}

const THREADS = 128

/** Gives a row to a workgroup, which takes the mean, then the squares of what differs from it. */
function normShader({ kind, bias, subgroups }: NormShader): string {
  const lanes = subgroups
    ? ', @builtin(subgroup_invocation_id) lane: u32, @builtin(subgroup_size) size: u32'
    : ''
  const sumOver = (value: string) => `sumOf(thread, ${subgroups ? 'lane, size' : '0u, 0u'}, ${value})`
  const mean = `var sum = 0.0;
  for (var c = thread; c < width; c += THREADS) { sum += arena[start + c]; }
  mean = ${sumOver('sum')} / f32(p.input.width);`
  return `${subgroups ? 'enable subgroups;\n' : ''}${prelude(SCALAR)}
const THREADS = ${THREADS}u;
var<workgroup> partial: array<f32, THREADS>;
${subgroups ? SUM_BY_SUBGROUPS : SUM_BY_HALVES}
@compute @workgroup_size(${THREADS})
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
  ${kind === 'layerNorm' ? mean : ''}
  var squares = 0.0;
  for (var c = thread; c < width; c += THREADS) {
    let d = arena[start + c] - mean;
    squares = fma(d, d, squares);
  }
  let factor = 1.0 / sqrt(${sumOver('squares')} / f32(p.input.width) + p.norm.epsilon);
  let to = p.output.offset + row * p.output.stride;
  for (var c = thread; c < width; c += THREADS) {
    arena[to + c] = (arena[start + c] - mean) * factor * rows[p.norm.weight + c]${bias ? ' + rows[p.norm.bias + c]' : ''};
  }
}
`
}

/** `sumOf` adds the values of all threads of a workgroup: each subgroup in one instruction, then what the subgroups have. */
const SUM_BY_SUBGROUPS = `fn sumOf(thread: u32, lane: u32, size: u32, value: f32) -> f32 {
  let own = subgroupAdd(value);
  if (lane == 0u) { partial[thread / size] = own; }
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < (THREADS + size - 1u) / size; i++) { total += partial[i]; }
  workgroupBarrier();
  return total;
}`

/** `sumOf` adds the values of all threads of a workgroup, half of them to the other half until one is left. */
const SUM_BY_HALVES = `fn sumOf(thread: u32, lane: u32, size: u32, value: f32) -> f32 {
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

export interface HeadNormShader {
  readonly query: Omit<NormShader, 'subgroups'> | null
  readonly key: Omit<NormShader, 'subgroups'> | null
}

/** Puts queries and keys, each head normed on its own, and values as they are into the output. A thread has a head's query, key or value. */
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
    'p.batch * p.input.rows * p.heads * 3u',
    `  let width = p.input.width / (3u * p.heads);
  let head = i % p.heads;
  let part = i / p.heads % 3u;
  let row = i / (3u * p.heads);
  let at = (part * p.heads + head) * width;
  let start = p.input.offset + row * p.input.stride + at;
  let to = p.output.offset + row * p.output.stride + at;
  if (part == 0u) {
    ${body(query, 'p.norm.weight', 'p.norm.bias', 'p.norm.epsilon')}
  } else if (part == 1u) {
    ${body(key, 'p.keyNorm.weight', 'p.keyNorm.bias', 'p.keyNorm.epsilon')}
  } else {
    ${body(null, '', '', '')}
  }`,
  )}`
}

/** Gives what of a norm chooses the shader's text. A root mean square norm has no shift. */
export function normOf(norm: NormWeights | null): Omit<NormShader, 'subgroups'> {
  if (norm === null) throw new Error('A norm has weights.')
  return { kind: norm.kind, bias: norm.kind === 'layerNorm' && norm.bias !== null }
}

export const NORM_DISPATCHES = {
  norm: (on) => {
    const code = normShader({ ...normOf(on.op.norm), subgroups: on.support.subgroups })
    return [on.make(code, inRowsOf(on.input[0] * on.batch))]
  },
} as const satisfies Partial<Record<OpKind, DispatchMaker>>
