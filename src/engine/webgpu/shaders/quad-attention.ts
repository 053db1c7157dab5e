/**
 * Computes scaled dot-product attention by quads: four neighbouring lanes of a subgroup work on four queries, each with a quarter of the head's width of all
 * four, so that what is read of a key or value serves four times. A score is the sum over the quad; softmax runs along as in attentionShader.
 */
import type { ScoreBias } from '../../ops.js'
import { type AttentionShader, attentionPlaces } from './attention.js'
import { changedFunction, changesScores, keysSeen, ownRows, type ScoreChange } from './score-change.js'
import { each, type Tiled } from './tile.js'
import { prelude } from './wgsl.js'

/** Says how a workgroup shares out queries and keys. */
export interface QuadTile extends Tiled {
  /** Counts the quads, which have four queries each. */
  readonly quads: number
  /** Counts the keys at a time. */
  readonly keys: number
  /** Counts the groups of quads that share out the keys: few queries have no other way to keep a GPU busy. */
  readonly splits: number
}

const TILES: readonly QuadTile[] = [
  { quads: 32, keys: 32, splits: 1, fewest: 512 },
  { quads: 16, keys: 16, splits: 4, fewest: 0 },
  { quads: 16, keys: 8, splits: 4, fewest: 0 },
  { quads: 16, keys: 16, splits: 1, fewest: 0 },
]
/** A lane keeps a quarter of four queries and of four results in registers. */
const MOST_WIDTH = 64

/** Lists those for which workgroup memory has room, the larger first; none where quads cannot do it: lanes have no whole query for a decomposed bias. */
export function quadTiles(
  operands: AttentionShader['operands'],
  headWidth: number,
  memory: number,
  bias: ScoreBias = 'none',
): readonly QuadTile[] {
  if (bias === 'decomposed') return []
  if (operands !== 'slots' || headWidth % 16 !== 0 || headWidth > MOST_WIDTH) return []
  const fitting = TILES.filter((tile) => memoryOf(tile, headWidth) <= memory)
  const last = fitting.findIndex(({ fewest }) => fewest === 0)
  return fitting.slice(0, last + 1)
}

/** Counts the vectors of four: keys and values lie there, and later a split's results for another one to add. */
function blockOf({ quads, keys, splits }: QuadTile, headWidth: number): number {
  return Math.max((2 * splits * keys * headWidth) / 4, splits > 1 ? quads * headWidth : 0)
}

function memoryOf(tile: QuadTile, headWidth: number): number {
  return 16 * (blockOf(tile, headWidth) + (tile.splits > 1 ? 2 * tile.splits * tile.quads : 0))
}

/** Holds the counts that all parts of the shader share. */
interface Layout extends QuadTile {
  readonly headWidth: number
  /** Counts the vectors of four of a key or value. */
  readonly vectors: number
  /** Counts those of them that are a lane's. */
  readonly own: number
  /** Counts the threads of a split. */
  readonly threads: number
}

function layoutOf(headWidth: number, tile: QuadTile): Layout {
  return { ...tile, headWidth, vectors: headWidth / 4, own: headWidth / 16, threads: 4 * tile.quads }
}

export function quadAttentionShader(
  { operands, headWidth, change }: Omit<AttentionShader, 'memory'>,
  tile: QuadTile,
): string {
  const layout = layoutOf(headWidth, tile)
  const { keys, splits, threads } = layout
  return `enable subgroups;
${prelude({ arena: 'vec4<f32>', rows: 'vec4<f32>', weight: 'vec4<f32>' })}
${attentionPlaces(operands, change)}
${memoryDeclarations(layout)}
${QUAD_FUNCTIONS}
${changedFunction(change)}@compute @workgroup_size(${threads * splits})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let image = group.z;
  let head = group.y * WIDTH;
  let queries = ${ownRows('input', change)};
  let count = ${keysSeen(ownRows('second', change), change)};
  let split = thread / ${threads}u;
  let member = thread % ${threads}u;
  let quad = member / 4u;
  let part = thread % 4u;
  let first = (group.x * QUADS + quad) * 4u;
  let factor = p.scale * 1.44269504088896341;
${everyOwn(layout, (i, d) => `var q${i}_${d}: vec4<f32>; var o${i}_${d}: vec4<f32>;`)}
  ${readQueries(layout)}
  var ownMost = LOWEST;
  var ownTotal = 0.0;
  let each = (count + ${splits * keys - 1}u) / ${splits * keys}u * KEYS;
  let begin = split * each;
  let end = min(count, begin + each);
  for (var start = 0u; start < each; start += KEYS) {
    ${bringKeysAndValues(layout)}
    workgroupBarrier();
    for (var j = 0u; j < KEYS; j += 4u) {
      let at = (split * KEYS + j) * VECTORS + part;
      ${scoreFourKeys(layout)}
      ${moveSoftmaxOn(layout, change)}
      ${mixFourValues(layout)}
    }
    workgroupBarrier();
  }
  let most = spread(ownMost);
  var total = spread(ownTotal);
  ${splits > 1 ? joinSplits(layout) : ''}
  ${writeResults(layout)}
}
`
}

/** Repeats a line for each of four queries and each of the lane's vectors. */
function everyOwn({ own }: Layout, line: (query: number, vector: number) => string): string {
  return each(4, (i) => `    ${each(own, (d) => line(i, d), ' ')}`)
}

/** Declares the memory of a workgroup; values begin behind keys. Splits tell each other their maxima and sums where there are several. */
function memoryDeclarations(layout: Layout): string {
  const { headWidth, quads, keys, splits, vectors } = layout
  const ofSplits = `var<workgroup> mosts: array<vec4<f32>, ${splits * quads}>;
var<workgroup> totals: array<vec4<f32>, ${splits * quads}>;
`
  return `const WIDTH = ${headWidth}u;
const VECTORS = ${vectors}u;
const KEYS = ${keys}u;
const QUADS = ${quads}u;
const VALUES = ${splits * keys * vectors}u;
const LOWEST = -3.0e38;
var<workgroup> block: array<vec4<f32>, ${blockOf(layout, headWidth)}>;
${splits > 1 ? ofSplits : ''}`
}

/**
 * `gather`: each lane has a part of four queries' scores of four keys, and gets the whole of its own query's. `spread`: each lane gets what the four
 * lanes have.
 */
const QUAD_FUNCTIONS = `fn gather(lane: u32, s0: vec4<f32>, s1: vec4<f32>, s2: vec4<f32>, s3: vec4<f32>) -> vec4<f32> {
  let odd = (lane & 1u) == 1u;
  let high = (lane & 2u) == 2u;
  let low = select(s0, s1, odd) + quadSwapX(select(s1, s0, odd));
  let top = select(s2, s3, odd) + quadSwapX(select(s3, s2, odd));
  return select(low, top, high) + quadSwapY(select(top, low, high));
}
fn spread(value: f32) -> vec4<f32> {
  return vec4<f32>(quadBroadcast(value, 0u), quadBroadcast(value, 1u), quadBroadcast(value, 2u), quadBroadcast(value, 3u));
}`

/** Reads the lane's part of its quad's four queries, scaled for powers of two. */
function readQueries({ own }: Layout): string {
  return each(
    4,
    (i) => `if (first + ${i}u < queries) {
    let at = (queryAt(image, first + ${i}u) + head) / 4u + part;
    ${each(own, (d) => `q${i}_${d} = arena[at + ${4 * d}u] * factor;`, ' ')}
  }`,
    '\n  ',
  )
}

/** Brings the next keys and values of the split into the memory of the workgroup, with zeros behind the last. */
function bringKeysAndValues({ threads }: Layout): string {
  return `for (var i = member; i < KEYS * VECTORS; i += ${threads}u) {
      let n = begin + start + i / VECTORS;
      let to = split * KEYS * VECTORS + i;
      if (n < end) {
        block[to] = arena[(keyAt(image, n) + head) / 4u + i % VECTORS];
        block[VALUES + to] = arena[(valueAt(image, n) + head) / 4u + i % VECTORS];
      } else {
        block[to] = vec4<f32>(0.0);
        block[VALUES + to] = vec4<f32>(0.0);
      }
    }`
}

/** Leaves the lane's part of the scores of four keys in `s0` to `s3`, one for each query. */
function scoreFourKeys({ own, vectors }: Layout): string {
  return `${each(4, (i) => `var s${i}: vec4<f32>;`, ' ')}
      ${each(
        4,
        (n) => `{
        ${each(own, (d) => `let k${d} = block[at + ${n * vectors + 4 * d}u];`, ' ')}
        ${each(4, (i) => `s${i}[${n}] = ${each(own, (d) => `dot(q${i}_${d}, k${d})`, ' + ')};`, '\n        ')}
      }`,
        '\n      ',
      )}`
}

/** Moves the running maximum and sum of the lane's query on, and shrinks what was mixed under the old maximum. */
function moveSoftmaxOn(layout: Layout, change: ScoreChange): string {
  const gathered = 'gather(lane, s0, s1, s2, s3)'
  const changedScore = (i: number) => `changed(products[${i}], group.y, first + part, places[${i}])`
  const scores = changesScores(change) ? `vec4<f32>(${each(4, changedScore, ', ')})` : 'products'
  return `let places = vec4<u32>(begin + start + j) + vec4<u32>(0u, 1u, 2u, 3u);
      let products = ${gathered};
      let scores = select(vec4<f32>(LOWEST), ${scores}, places < vec4<u32>(end));
      let highest = max(max(ownMost, max(scores.x, scores.y)), max(scores.z, scores.w));
      let shrink = exp2(ownMost - highest);
      let shares = exp2(scores - highest);
      ownMost = highest;
      ownTotal = ownTotal * shrink + (shares.x + shares.y) + (shares.z + shares.w);
      let shrinks = spread(shrink);
${everyOwn(layout, (i, d) => `o${i}_${d} *= shrinks[${i}];`)}`
}

/** Adds each query's shares of four values to the lane's part of its result. */
function mixFourValues(layout: Layout): string {
  const { own, vectors } = layout
  return each(
    4,
    (n) => `{
        let share = spread(shares[${n}]);
        ${each(own, (d) => `let v${d} = block[VALUES + at + ${n * vectors + 4 * d}u];`, ' ')}
${everyOwn(layout, (i, d) => `o${i}_${d} = fma(vec4<f32>(share[${i}]), v${d}, o${i}_${d});`)}
      }`,
    '\n      ',
  )
}

/** Scales every split's results to the highest maximum, and lets the first split add up those of the others, which are done then. */
function joinSplits(layout: Layout): string {
  const { splits, own, threads } = layout
  return `if (part == 0u) {
    mosts[split * QUADS + quad] = most;
    totals[split * QUADS + quad] = total;
  }
  workgroupBarrier();
  var highest = most;
  for (var i = 0u; i < ${splits}u; i++) { highest = max(highest, mosts[i * QUADS + quad]); }
  total = vec4<f32>(0.0);
  for (var i = 0u; i < ${splits}u; i++) { total += totals[i * QUADS + quad] * exp2(mosts[i * QUADS + quad] - highest); }
  let scaled = exp2(most - highest);
${everyOwn(layout, (i, d) => `o${i}_${d} *= scaled[${i}];`)}
  for (var i = 1u; i < ${splits}u; i++) {
    if (split == i) {
${everyOwn(layout, (i, d) => `block[${(i * own + d) * threads}u + member] = o${i}_${d};`)}
    }
    workgroupBarrier();
    if (split == 0u) {
${everyOwn(layout, (i, d) => `o${i}_${d} += block[${(i * own + d) * threads}u + member];`)}
    }
    workgroupBarrier();
  }
  if (split != 0u) { return; }`
}

/** Writes the lane's part of its quad's four results. */
function writeResults({ own }: Layout): string {
  return each(
    4,
    (i) => `if (first + ${i}u < queries) {
    let at = (p.output.offset + (image * queries + first + ${i}u) * p.output.stride + head) / 4u + part;
    ${each(own, (d) => `arena[at + ${4 * d}u] = o${i}_${d} / total[${i}];`, ' ')}
  }`,
    '\n  ',
  )
}
