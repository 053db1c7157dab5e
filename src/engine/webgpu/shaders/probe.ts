/** Lets a few learnt latents attend to all rows, and pools with their attention: one workgroup for an image and latent. */
import type { OpKind } from '../../ops.js'
import type { DispatchMaker } from '../op-on-gpu.js'
import { prelude } from './wgsl.js'

/** The latent attends to all rows, head by head, and the maps' mean pools the values. */
function probeShader({ heads }: { readonly heads: number }): string {
  return `${prelude({ arena: 'f32', rows: 'f32', weight: 'vec4<f32>' })}
const GROUP = 256u;
const HEADS = ${heads}u;
var<workgroup> partial: array<f32, GROUP>;
var<workgroup> map: array<f32, GROUP>;
var<workgroup> most: array<f32, HEADS>;
var<workgroup> total: array<f32, HEADS>;
${SCORE}
${joinThreads('highest', 'partial[thread] = max(partial[thread], partial[thread + half]);')}
${joinThreads('added', 'partial[thread] += partial[thread + half];')}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let latent = group.x;
  let image = group.y;
  let share = p.input.width / p.latents;
  ${SOFTMAX_OF_HEADS}
  workgroupBarrier();
  let out = p.output.offset + image * p.output.stride + latent * share;
  for (var j = thread; j < share; j += GROUP) { arena[out + j] = 0.0; }
  for (var start = 0u; start < p.input.rows; start += GROUP) {
    ${POOL_BLOCK}
  }
}
`
}

/** Multiplies a head of the latent with that of a row, for powers of two. */
const SCORE = `fn score(image: u32, latent: u32, head: u32, n: u32) -> f32 {
  let width = p.input.width / HEADS;
  let key = p.input.offset + (image * p.input.rows + n) * p.input.stride + head * width;
  let query = p.weight + latent * p.input.width + head * width;
  var sum = 0.0;
  for (var d = 0u; d < width; d++) { sum = fma(rows[query + d], arena[key + d], sum); }
  return sum * p.scale * 1.44269504088896341;
}`

/** Writes a function that joins the values of all threads, half of them with the other half until one is left, which all threads get. */
export function joinThreads(name: string, join: string): string {
  return `fn ${name}(thread: u32, value: f32) -> f32 {
  partial[thread] = value;
  for (var half = GROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) { ${join} }
  }
  let found = workgroupUniformLoad(&partial[0]);
  workgroupBarrier();
  return found;
}`
}

/** Leaves the largest score of each head in `most`, and the sum of the exponentials in `total`. */
const SOFTMAX_OF_HEADS = `for (var head = 0u; head < HEADS; head++) {
    var largest = -3.0e38;
    for (var n = thread; n < p.input.rows; n += GROUP) { largest = max(largest, score(image, latent, head, n)); }
    largest = highest(thread, largest);
    var sum = 0.0;
    for (var n = thread; n < p.input.rows; n += GROUP) { sum += exp2(score(image, latent, head, n) - largest); }
    sum = added(thread, sum);
    if (thread == 0u) {
      most[head] = largest;
      total[head] = sum;
    }
  }`

/** Takes the heads' mean for a block of rows, a row to a thread, and adds the rows' values by it, a column to a thread. */
const POOL_BLOCK = `let n = start + thread;
    var weight = 0.0;
    if (n < p.input.rows) {
      for (var head = 0u; head < HEADS; head++) {
        weight += exp2(score(image, latent, head, n) - most[head]) / total[head];
      }
    }
    map[thread] = weight / f32(HEADS);
    workgroupBarrier();
    let values = p.second.offset + image * p.second.rows * p.second.stride + latent * share;
    for (var j = thread; j < share; j += GROUP) {
      var sum = arena[out + j];
      for (var i = 0u; i < min(GROUP, p.input.rows - start); i++) {
        sum = fma(map[i], arena[values + (start + i) * p.second.stride + j], sum);
      }
      arena[out + j] = sum;
    }
    workgroupBarrier();`

export const PROBE_DISPATCHES = {
  probeAttention: (on) => {
    const { latents, heads } = on.op
    const [rows, width] = on.input
    const cost = 2 * on.batch * latents * rows * width
    return [on.make(probeShader({ heads }), [latents, on.batch, 1], { cost })]
  },
} as const satisfies Partial<Record<OpKind, DispatchMaker>>
