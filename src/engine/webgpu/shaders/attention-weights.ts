/**
 * Gives what attention weighs values by, for the rows and heads that are asked for: a workgroup has a row of one head, or of all heads where they are
 * joined, and each of its threads every so many keys.
 */
import type { HeadFusion, OpKind } from '../../ops.js'
import type { DispatchMaker } from '../op-on-gpu.js'
import { attentionPlaces, IN_FLOATS } from './attention.js'
import { joinThreads } from './probe.js'
import {
  changedFunction,
  changeOf,
  changesScores,
  fillPlaces,
  keysSeen,
  ownRows,
  placesDeclaration,
  type ScoreChange,
} from './score-change.js'
import { prelude, SCALAR } from './wgsl.js'

interface AttentionWeightsShader {
  readonly headWidth: number
  readonly change: ScoreChange
  readonly fusion: HeadFusion
  /** Tells that rows, or heads, are named by a constant. */
  readonly picksRows: boolean
  readonly picksHeads: boolean
}

/** Says how a weight joins those of the heads before. */
const JOINS: Readonly<Record<HeadFusion, string>> = {
  none: 'weight',
  mean: 'arena[to] + weight',
  max: 'max(arena[to], weight)',
  min: 'min(arena[to], weight)',
}

function attentionWeightsShader(shader: AttentionWeightsShader): string {
  const { headWidth, change, fusion, picksRows, picksHeads } = shader
  const isApart = fusion === 'none'
  return `${prelude(SCALAR)}
const WIDTH = ${headWidth}u;
const VECTORS = ${Math.ceil(headWidth / 4)}u;
const GROUP = 128u;
const LOWEST = -3.0e38;
var<workgroup> partial: array<f32, GROUP>;
var<private> query: array<vec4<f32>, VECTORS>;
${attentionPlaces('slots', change)}${placesDeclaration(change, 'workgroup')}${changedFunction(change)}
${joinThreads('highest', 'partial[thread] = max(partial[thread], partial[thread + half]);')}
${joinThreads('added', 'partial[thread] += partial[thread + half];')}
fn ofSlot(at: u32, q: u32) -> vec4<f32> {
  ${IN_FLOATS.read('arena')}
}
fn scoreOf(image: u32, head: u32, own: u32, key: u32) -> f32 {
  let at = keyAt(image, key) + head * WIDTH;
  var sum = vec4<f32>(0.0);
  for (var q = 0u; q < VECTORS; q++) { sum = fma(query[q], ofSlot(at, q), sum); }
  let score = (sum.x + sum.y + (sum.z + sum.w)) * (p.scale * 1.44269504088896341);
  return ${changesScores(change) ? 'changed(score, head, own, key)' : 'score'};
}
@compute @workgroup_size(GROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = ${picksRows ? 'u32(constants[p.rowIndex + group.x])' : 'group.x'};
  let each = ${ownRows('input', change)};
  let own = row % each;
  let image = group.z * p.groups + row / each;
  let keys = ${ownRows('second', change)};
  let seen = ${change.mask === 'causal' ? 'own + 1u' : keysSeen('keys', change)};
  let line = ${isApart ? 'group.y * (p.output.rows / p.headCount) + group.x' : 'group.x'};
  let out = p.output.offset + (group.z * p.output.rows + line) * p.output.stride;
  for (var index = ${isApart ? 'group.y' : '0u'}; index < ${isApart ? 'group.y + 1u' : 'p.headCount'}; index++) {
    let head = ${picksHeads ? 'u32(constants[p.headIndex + index])' : 'index'};
    for (var q = 0u; q < VECTORS; q++) { query[q] = ofSlot(queryAt(image, own) + head * WIDTH, q); }
    workgroupBarrier();
    ${fillPlaces(change, 'thread', 'GROUP')}
    workgroupBarrier();
    var most = LOWEST;
    for (var n = thread; n < seen; n += GROUP) {
      let score = scoreOf(image, head, own, n);
      ${isApart ? 'arena[out + n] = score;' : ''}
      most = max(most, score);
    }
    most = highest(thread, most);
    var total = 0.0;
    for (var n = thread; n < seen; n += GROUP) { total += exp2(${scoreAgain(isApart)} - most); }
    total = added(thread, total);
    for (var n = thread; n < keys; n += GROUP) {
      let to = out + n;
      var weight = 0.0;
      if (n < seen) { weight = exp2(${scoreAgain(isApart)} - most) / total${fusion === 'mean' ? ' / f32(p.headCount)' : ''}; }
      arena[to] = ${isApart ? JOINS.none : `select(${JOINS[fusion]}, weight, index == 0u)`};
    }
  }
}
`
}

/** Scores wait in the output where nothing else stands in it; else they are made anew. */
function scoreAgain(isApart: boolean): string {
  return isApart ? 'arena[out + n]' : 'scoreOf(image, head, own, n)'
}

export const ATTENTION_WEIGHTS_DISPATCHES = {
  attentionWeights: (on) => {
    const { op, batch } = on
    const { heads, headCount, headFusion, keysAt } = op
    const [outRows, keys] = on.output
    const lots = headFusion === 'none' ? headCount : 1
    // Keys and values, as wide as each other, share out what a row has behind the queries.
    const headWidth = (on.second[1] - keysAt) / 2 / heads
    const code = attentionWeightsShader({
      headWidth,
      change: changeOf(op),
      fusion: headFusion,
      picksRows: op.rowIndex !== null,
      picksHeads: op.headIndex !== null,
    })
    const cost = (batch * outRows * keys * headWidth * headCount) / lots
    return [on.make(code, [outRows / lots, lots, batch], { cost })]
  },
} as const satisfies Partial<Record<OpKind, DispatchMaker>>
