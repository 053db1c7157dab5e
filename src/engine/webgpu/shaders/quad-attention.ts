/**
 * Computes scaled dot-product attention by quads: four neighbouring lanes of a subgroup work on four queries, each with a quarter of the head's width of all
 * four, so that what is read of a key or value serves four times. A score is the sum over the quad; softmax runs along as in attentionShader.
 */
import { attentionPlaces, type Operands } from './attention.js'
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

/** Lists those for which workgroup memory has room, the larger first; none where quads cannot do it. */
export function quadTiles(operands: Operands, headWidth: number, memory: number): readonly QuadTile[] {
  const isPlain = operands === 'slots' || operands === 'normed'
  if (!isPlain || headWidth % 16 !== 0 || headWidth > MOST_WIDTH) return []
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

export function quadAttentionShader(
  { operands, headWidth }: { readonly operands: Operands; readonly headWidth: number },
  tile: QuadTile,
): string {
  const { quads, keys, splits } = tile
  /** Counts the vectors of a key, and those of them that are a lane's. */
  const vectors = headWidth / 4
  const own = vectors / 4
  const threads = 4 * quads // Of a split.
  const everyOwn = (line: (i: number, d: number) => string) =>
    each(4, (i) => `    ${each(own, (d) => line(i, d), ' ')}`)
  const join = `if (part == 0u) {
    mosts[split * QUADS + quad] = most;
    totals[split * QUADS + quad] = total;
  }
  workgroupBarrier();
  var highest = most;
  for (var i = 0u; i < ${splits}u; i++) { highest = max(highest, mosts[i * QUADS + quad]); }
  total = vec4<f32>(0.0);
  for (var i = 0u; i < ${splits}u; i++) { total += totals[i * QUADS + quad] * exp2(mosts[i * QUADS + quad] - highest); }
  let scaled = exp2(most - highest);
${everyOwn((i, d) => `o${i}_${d} *= scaled[${i}];`)}
  for (var i = 1u; i < ${splits}u; i++) {
    if (split == i) {
${everyOwn((i, d) => `block[${(i * own + d) * threads}u + member] = o${i}_${d};`)}
    }
    workgroupBarrier();
    if (split == 0u) {
${everyOwn((i, d) => `o${i}_${d} += block[${(i * own + d) * threads}u + member];`)}
    }
    workgroupBarrier();
  }
  if (split != 0u) { return; }`
  return `enable subgroups;
${prelude({ arena: 'vec4<f32>', rows: 'vec4<f32>', weight: 'vec4<f32>' })}
${attentionPlaces(operands)}
const WIDTH = ${headWidth}u;
const VECTORS = ${vectors}u;
const KEYS = ${keys}u;
const QUADS = ${quads}u;
const VALUES = ${splits * keys * vectors}u; // Where values begin, behind keys.
const LOWEST = -3.0e38;
var<workgroup> block: array<vec4<f32>, ${blockOf(tile, headWidth)}>;
${
  splits > 1
    ? `var<workgroup> mosts: array<vec4<f32>, ${splits * quads}>;
var<workgroup> totals: array<vec4<f32>, ${splits * quads}>;
`
    : ''
}// Each lane has a part of four queries' scores of four keys, and gets the whole of its own query's.
fn gather(lane: u32, s0: vec4<f32>, s1: vec4<f32>, s2: vec4<f32>, s3: vec4<f32>) -> vec4<f32> {
  let odd = (lane & 1u) == 1u;
  let high = (lane & 2u) == 2u;
  let low = select(s0, s1, odd) + quadSwapX(select(s1, s0, odd));
  let top = select(s2, s3, odd) + quadSwapX(select(s3, s2, odd));
  return select(low, top, high) + quadSwapY(select(top, low, high));
}
// Each of the four lanes has this.
fn spread(value: f32) -> vec4<f32> {
  return vec4<f32>(quadBroadcast(value, 0u), quadBroadcast(value, 1u), quadBroadcast(value, 2u), quadBroadcast(value, 3u));
}
@compute @workgroup_size(${threads * splits})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let image = group.z;
  let head = group.y * WIDTH;
  let queries = p.input.rows;
  let count = p.second.rows;
  let split = thread / ${threads}u;
  let member = thread % ${threads}u;
  let quad = member / 4u;
  let part = thread % 4u;
  let first = (group.x * QUADS + quad) * 4u;
  let factor = p.scale * 1.44269504088896341;
${everyOwn((i, d) => `var q${i}_${d}: vec4<f32>; var o${i}_${d}: vec4<f32>;`)}
  ${each(
    4,
    (i) => `if (first + ${i}u < queries) {
    let at = (queryAt(image, first + ${i}u) + head) / 4u + part;
    ${each(own, (d) => `q${i}_${d} = arena[at + ${4 * d}u] * factor;`, ' ')}
  }`,
    '\n  ',
  )}
  var ownMost = LOWEST;
  var ownTotal = 0.0;
  let each = (count + ${splits * keys - 1}u) / ${splits * keys}u * KEYS;
  let begin = split * each;
  let end = min(count, begin + each);
  for (var start = 0u; start < each; start += KEYS) {
    for (var i = member; i < KEYS * VECTORS; i += ${threads}u) {
      let n = begin + start + i / VECTORS;
      let to = split * KEYS * VECTORS + i;
      if (n < end) {
        block[to] = arena[(keyAt(image, n) + head) / 4u + i % VECTORS];
        block[VALUES + to] = arena[(valueAt(image, n) + head) / 4u + i % VECTORS];
      } else {
        block[to] = vec4<f32>(0.0);
        block[VALUES + to] = vec4<f32>(0.0);
      }
    }
    workgroupBarrier();
    for (var j = 0u; j < KEYS; j += 4u) {
      let at = (split * KEYS + j) * VECTORS + part;
      ${each(4, (i) => `var s${i}: vec4<f32>;`, ' ')}
      ${each(
        4,
        (n) => `{
        ${each(own, (d) => `let k${d} = block[at + ${n * vectors + 4 * d}u];`, ' ')}
        ${each(4, (i) => `s${i}[${n}] = ${each(own, (d) => `dot(q${i}_${d}, k${d})`, ' + ')};`, '\n        ')}
      }`,
        '\n      ',
      )}
      let places = vec4<u32>(begin + start + j) + vec4<u32>(0u, 1u, 2u, 3u);
      let scores = select(vec4<f32>(LOWEST), gather(lane, s0, s1, s2, s3), places < vec4<u32>(end));
      let highest = max(max(ownMost, max(scores.x, scores.y)), max(scores.z, scores.w));
      let shrink = exp2(ownMost - highest);
      let shares = exp2(scores - highest);
      ownMost = highest;
      ownTotal = ownTotal * shrink + (shares.x + shares.y) + (shares.z + shares.w);
      let shrinks = spread(shrink);
${everyOwn((i, d) => `o${i}_${d} *= shrinks[${i}];`)}
      ${each(
        4,
        (n) => `{
        let share = spread(shares[${n}]);
        ${each(own, (d) => `let v${d} = block[VALUES + at + ${n * vectors + 4 * d}u];`, ' ')}
${everyOwn((i, d) => `o${i}_${d} = fma(vec4<f32>(share[${i}]), v${d}, o${i}_${d});`)}
      }`,
        '\n      ',
      )}
    }
    workgroupBarrier();
  }
  let most = spread(ownMost);
  var total = spread(ownTotal);
  ${splits > 1 ? join : ''}
  ${each(
    4,
    (i) => `if (first + ${i}u < queries) {
    let at = (p.output.offset + (image * queries + first + ${i}u) * p.output.stride + head) / 4u + part;
    ${each(own, (d) => `arena[at + ${4 * d}u] = o${i}_${d} / total[${i}];`, ' ')}
  }`,
    '\n  ',
  )}
}
`
}
