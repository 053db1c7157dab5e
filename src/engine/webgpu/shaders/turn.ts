/** Makes the shaders that norm queries and keys and turn them by angles, on their way to attention. */
import type { OpKind } from '../../ops.js'
import type { Dispatch, DispatchMaker, OpOnGpu } from '../op-on-gpu.js'
import { headNormShader, normOf } from './norms.js'
import { forEach, prelude, SCALAR } from './wgsl.js'

interface TurnShader {
  /** Is `output` where norms have put everything there already. */
  readonly source: 'input' | 'output'
  readonly pairsNeighbours: boolean
  readonly ownTables: boolean
}

/** Gives a pair of columns to a thread: of a query or key, which are turned, or of a value, which is copied. */
function turnShader({ source, pairsNeighbours, ownTables }: TurnShader): string {
  const [first, second] = pairsNeighbours ? ['2u * pair', '2u * pair + 1u'] : ['pair', 'pair + pairs']
  return `${prelude(SCALAR)}${forEach(
    'p.batch * p.input.rows * (p.input.width / 2u)',
    `  let pairs = p.input.width / (6u * p.heads);
  let pair = i % pairs;
  let head = i / pairs % p.heads;
  let part = i / (pairs * p.heads) % 3u;
  let row = i / (3u * pairs * p.heads);
  let at = (part * p.heads + head) * 2u * pairs;
  let start = p.${source}.offset + row * p.${source}.stride + at;
  let to = p.output.offset + row * p.output.stride + at;
  let first = ${first};
  let second = ${second};
  let a = arena[start + first];
  let b = arena[start + second];
  if (part == 2u) {
    if (start != to) {
      arena[to + first] = a;
      arena[to + second] = b;
    }
    return;
  }
  let cosine = p.constant + (row % p.input.rows * p.tables${ownTables ? ' + head' : ''}) * 4u * pairs;
  let sine = cosine + 2u * pairs;
  arena[to + first] = a * constants[cosine + first] - b * constants[sine + first];
  arena[to + second] = b * constants[cosine + second] + a * constants[sine + second];`,
  )}`
}

function turn(on: OpOnGpu): readonly Dispatch[] {
  const { norm, keyNorm, constant, heads, tables, pairsNeighbours } = on.op
  const [rows, width] = on.input
  const isNormed = norm !== null || keyNorm !== null
  const norms = () => {
    const code = headNormShader({
      query: norm === null ? null : normOf(norm),
      key: keyNorm === null ? null : normOf(keyNorm),
    })
    return on.flat(code, rows * heads * 3, { label: 'norms of queries and keys' })
  }
  const turns = () =>
    on.flat(
      turnShader({ source: isNormed ? 'output' : 'input', pairsNeighbours, ownTables: tables > 1 }),
      (rows * width) / 2,
    )
  return [...(isNormed ? [norms()] : []), ...(constant === null ? [] : [turns()])]
}

export const TURN_DISPATCHES = { turn } as const satisfies Partial<Record<OpKind, DispatchMaker>>
