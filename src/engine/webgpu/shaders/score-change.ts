/** Writes what attention does to scores before softmax: biases of the places of queries and keys, masks, and groups that attend to themselves alone. */
import type { LoweredOp } from '../../lowered/lowered-op.js'
import type { KeyMask, ScoreBias } from '../../ops.js'

export interface ScoreChange {
  readonly bias: ScoreBias
  readonly mask: KeyMask
  /** Tells that there are several groups, each of which is like an image of its own. */
  readonly grouped: boolean
  readonly gridRows: number
  readonly gridColumns: number
}

/** Is what plain attention has. */
export const NO_CHANGE: ScoreChange = {
  bias: 'none',
  mask: 'none',
  grouped: false,
  gridRows: 0,
  gridColumns: 0,
}

export function changeOf({ scoreBias, keyMask, groups, gridRows, gridColumns }: LoweredOp): ScoreChange {
  return { bias: scoreBias, mask: keyMask, grouped: groups > 1, gridRows, gridColumns }
}

/** Tells that scores are not only the products of queries and keys. */
export function changesScores({ bias, mask }: ScoreChange): boolean {
  return bias !== 'none' || mask === 'causal'
}

/** Gives the rows of an image, or of a group. */
export function ownRows(slot: 'input' | 'second' | 'output', { grouped }: ScoreChange): string {
  return grouped ? `(p.${slot}.rows / p.groups)` : `p.${slot}.rows`
}

/** Gives how many of `count` keys the queries of an image, or of a group, see. */
export function keysSeen(count: string, { mask }: ScoreChange): string {
  return mask === 'keys' ? `min(${count}, u32(constants[p.keyCounts + image % p.groups]))` : count
}

/** Writes `fn changed(score, head, query, key) -> f32`: the score with its bias, both in base 2, or the lowest one for a key that the query does not see. */
export function changedFunction(change: ScoreChange): string {
  if (!changesScores(change)) return ''
  return `const LOG2_E = 1.44269504088896341;
${change.bias === 'relative' ? relativeBias(change) : ''}
fn changed(score: f32, head: u32, query: u32, key: u32) -> f32 {
  ${change.mask === 'causal' ? 'if (key > query) { return LOWEST; }' : ''}
  return score${BIAS[change.bias]};
}
`
}

const BIAS: Readonly<Record<ScoreBias, string>> = {
  none: '',
  relative: ' + relativeBias(head, query, key) * LOG2_E',
  decomposed: ' + (ofPlaces[key / COLUMNS] + ofPlaces[ROWS + key % COLUMNS]) * LOG2_E',
}

function relativeBias(change: ScoreChange): string {
  const { gridRows, gridColumns } = change
  const across = 2 * gridColumns - 1
  const offsets = (2 * gridRows - 1) * across
  return `
fn relativeBias(head: u32, query: u32, key: u32) -> f32 {
  let special = ${ownRows('input', change)} - ${gridRows * gridColumns}u;
  let table = p.constant + head * ${offsets + 3}u;
  if (query < special) { return constants[table + select(${offsets}u, ${offsets + 2}u, key < special)]; }
  if (key < special) { return constants[table + ${offsets + 1}u]; }
  let q = query - special;
  let k = key - special;
  let down = q / ${gridColumns}u + ${gridRows - 1}u - k / ${gridColumns}u;
  return constants[table + down * ${across}u + q % ${gridColumns}u + ${gridColumns - 1}u - k % ${gridColumns}u];
}`
}

/**
 * Declares what a thread, or a workgroup, keeps of its query for a decomposed bias: its products with the rows of its offsets to all rows and all
 * columns of the grid.
 */
export function placesDeclaration(
  { bias, gridRows, gridColumns }: ScoreChange,
  space: 'private' | 'workgroup' = 'private',
): string {
  if (bias !== 'decomposed') return ''
  return `const ROWS = ${gridRows}u;
const COLUMNS = ${gridColumns}u;
var<${space}> ofPlaces: array<f32, ${gridRows + gridColumns}>;
`
}

/** Fills that, from `first` on in steps, for the query with the number `own`, whose vectors are in `query`. */
export function fillPlaces({ bias }: ScoreChange, first = '0u', step = '1u'): string {
  if (bias !== 'decomposed') return ''
  return `for (var i = ${first}; i < ROWS + COLUMNS; i += ${step}) {
      let inRows = i < ROWS;
      let offset = select(own % COLUMNS + COLUMNS - 1u + ROWS - i, own / COLUMNS + ROWS - 1u - i, inRows);
      let table = select(p.columnTable, p.constant, inRows) + offset * WIDTH;
      var sum = 0.0;
      for (var c = 0u; c < WIDTH; c++) { sum = fma(query[c / 4u][c % 4u], constants[table + c], sum); }
      ofPlaces[i] = sum;
    }`
}
