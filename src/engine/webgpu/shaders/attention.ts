/**
 * Computes scaled dot-product attention without the tokens x tokens matrix: a thread has a query, and goes over blocks of keys in workgroup
 * memory with a running maximum and sum (Dao et al. 2022, "FlashAttention").
 */
import {
  changedFunction,
  changesScores,
  fillPlaces,
  keysSeen,
  ownRows,
  placesDeclaration,
  type ScoreChange,
} from './score-change.js'
import { prelude, type Views } from './wgsl.js'

/** Counts the queries of a workgroup. */
export const QUERIES = 64
const MOST_KEYS = 32

/** Says where queries and keys come from; values are always those of the second slot. */
export type Operands =
  /** Queries lie in the first slot, keys in the second: `keysAt` and `valuesAt` say where in its rows they begin. */
  | 'slots'
  /** Queries are weights; keys are the first slot. */
  | 'weight-query'
  /** Keys are weights. */
  | 'weight-key'

export interface AttentionShader {
  readonly operands: Operands
  readonly headWidth: number
  readonly change: ScoreChange
  /** [bytes] of workgroup memory are what the device gives. */
  readonly memory: number
}

/** Says where row `n` of `image` begins; an image has `inputRows` and `secondRows`. */
const QUERY: Readonly<Record<Operands, string>> = {
  slots: 'p.input.offset + (image * inputRows + n) * p.input.stride',
  'weight-query': 'p.weight + n * p.output.width',
  'weight-key': 'p.input.offset + (image * inputRows + n) * p.input.stride',
}
const KEY: Readonly<Record<Operands, string>> = {
  slots: 'p.second.offset + (image * secondRows + n) * p.second.stride + p.keysAt',
  'weight-query': 'p.input.offset + (image * inputRows + n) * p.input.stride',
  'weight-key': 'p.weight + n * p.output.width',
}

/** Writes `fn queryAt`, `keyAt` and `valueAt` (image, row), which say where it begins, in floats. */
export function attentionPlaces(operands: Operands, change: ScoreChange): string {
  const place = (name: string, at: string) => {
    const text = at
      .replace('inputRows', ownRows('input', change))
      .replace('secondRows', ownRows('second', change))
    return `fn ${name}(image: u32, n: u32) -> u32 { return ${text}; }`
  }
  return `${place('queryAt', QUERY[operands])}
${place('keyAt', KEY[operands])}
${place('valueAt', 'p.second.offset + (image * secondRows + n) * p.second.stride + p.valuesAt')}
`
}

export function attentionShader({ operands, headWidth, change, memory }: AttentionShader): string {
  const vectors = Math.ceil(headWidth / 4)
  const keys = Math.max(1, Math.min(MOST_KEYS, Math.floor(memory / (2 * vectors * 16))))
  const { view, read, write } = headWidth % 4 === 0 ? IN_VECTORS : IN_FLOATS
  const [queryRows, keyRows] =
    operands === 'weight-query' ? (['output', 'input'] as const) : (['input', 'second'] as const)
  return `${prelude({ arena: view, rows: view, weight: 'vec4<f32>' })}
${attentionPlaces(operands, change)}const WIDTH = ${headWidth}u;
const VECTORS = ${vectors}u;
const KEYS = ${keys}u;
const LOWEST = -3.0e38;
${placesDeclaration(change)}${changedFunction(change)}var<workgroup> keyBlock: array<vec4<f32>, ${keys * vectors}>;
var<workgroup> valueBlock: array<vec4<f32>, ${keys * vectors}>;
fn ofSlot(at: u32, q: u32) -> vec4<f32> {
  ${read('arena')}
}
fn ofWeight(at: u32, q: u32) -> vec4<f32> {
  ${read('rows')}
}
@compute @workgroup_size(${QUERIES})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let image = group.z;
  let head = group.y * WIDTH;
  let queries = ${ownRows(queryRows, change)};
  let count = ${keysSeen(ownRows(keyRows, change), change)};
  let own = group.x * ${QUERIES}u + thread;
  var query: array<vec4<f32>, VECTORS>;
  var mixed: array<vec4<f32>, VECTORS>;
  if (own < queries) {
    let at = queryAt(image, own) + head;
    for (var q = 0u; q < VECTORS; q++) { query[q] = ${operands === 'weight-query' ? 'ofWeight' : 'ofSlot'}(at, q); }
    ${fillPlaces(change)}
  }
  let factor = ${changesScores(change) ? '1.0' : 'p.scale * 1.44269504088896341'};
  var most = LOWEST;
  var total = 0.0;
  var scores: array<f32, KEYS>;
  for (var start = 0u; start < count; start += KEYS) {
    let block = min(KEYS, count - start);
    ${bringKeysAndValues(operands)}
    workgroupBarrier();
    ${mixBlock(change)}
    workgroupBarrier();
  }
  if (own < queries) {
    let at = p.output.offset + (image * ${ownRows('output', change)} + own) * p.output.stride + head;
    for (var q = 0u; q < VECTORS; q++) {
      let v = mixed[q] / total;
      ${write}
    }
  }
}
`
}

/** Says how a shader reads and writes four numbers of a head: at once where heads begin at vectors, else one by one up to the head's end. */
interface HeadAccess {
  readonly view: Views['arena']
  readonly read: (buffer: string) => string
  readonly write: string
}
const IN_VECTORS: HeadAccess = {
  view: 'vec4<f32>',
  read: (buffer) => `return ${buffer}[at / 4u + q];`,
  write: 'arena[at / 4u + q] = v;',
}
export const IN_FLOATS: HeadAccess = {
  view: 'f32',
  read: (buffer) => `var v = vec4<f32>(0.0);
  for (var i = 0u; i < 4u; i++) { if (q * 4u + i < WIDTH) { v[i] = ${buffer}[at + q * 4u + i]; } }
  return v;`,
  write: 'for (var i = 0u; i < 4u; i++) { if (q * 4u + i < WIDTH) { arena[at + q * 4u + i] = v[i]; } }',
}

/** Brings a block of keys and values into the memory of the workgroup. */
function bringKeysAndValues(operands: Operands): string {
  return `for (var i = thread; i < block * VECTORS; i += ${QUERIES}u) {
      let n = start + i / VECTORS;
      let q = i % VECTORS;
      keyBlock[i] = ${operands === 'weight-key' ? 'ofWeight' : 'ofSlot'}(keyAt(image, n) + head, q);
      valueBlock[i] = ofSlot(valueAt(image, n) + head, q);
    }`
}

/** Scores a thread's query against the block, moves its running maximum and sum on, and adds its shares of the values. */
function mixBlock(change: ScoreChange): string {
  const products = 'sum.x + sum.y + (sum.z + sum.w)'
  const score = changesScores(change)
    ? `changed((${products}) * (p.scale * LOG2_E), group.y, own, start + j)`
    : products
  return `var highest = most;
    for (var j = 0u; j < block; j++) {
      var sum = vec4<f32>(0.0);
      for (var q = 0u; q < VECTORS; q++) {
        sum = fma(query[q], keyBlock[j * VECTORS + q], sum);
      }
      scores[j] = ${score};
      highest = max(highest, scores[j]);
    }
    let shrink = exp2((most - highest) * factor);
    most = highest;
    total *= shrink;
    for (var q = 0u; q < VECTORS; q++) { mixed[q] *= shrink; }
    for (var j = 0u; j < block; j++) {
      let share = exp2((scores[j] - most) * factor);
      total += share;
      for (var q = 0u; q < VECTORS; q++) { mixed[q] = fma(vec4<f32>(share), valueBlock[j * VECTORS + q], mixed[q]); }
    }`
}
