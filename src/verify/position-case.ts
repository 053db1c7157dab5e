/** Resamples position tables by each library's rule, without a network. */
import { type PatchGrid, type PositionRule, resamplePositions } from '../model/positions.js'
import { type CaseContext, type Comparison, type GoldenCase, readExpected, required } from './case.js'
import { GoldenError } from './golden-error.js'
import { compare } from './judge.js'

interface PositionCase extends GoldenCase {
  readonly old_grid?: readonly [rows: number, columns: number]
}

const RULES: ReadonlyMap<string, PositionRule> = new Map([
  ['birder-adjust', 'antialias'],
  ['timm', 'antialias'],
  ['facebook-registers', 'antialias'],
  ['birder-dynamic', 'bicubic'],
  ['hugging-face', 'bicubic'],
  ['facebook', 'bicubic-offset'],
])

export async function* runPositionCase(
  golden: PositionCase,
  { open }: CaseContext,
): AsyncGenerator<Comparison, void, undefined> {
  const values = await readExpected(golden, open)
  const [rows, columns] = required(golden.old_grid, 'old_grid', golden)
  const table = required(values.get('table'), 'tensor called table', golden)
  for (const [tensor, expected] of values) {
    if (tensor === 'table') continue
    const { grid, rule } = parseName(tensor, golden)
    yield compare(golden, tensor, resamplePositions(table, { rows, columns }, grid, rule), expected)
  }
}

/** Tensors are called after the rule and the grid that they were resampled to, such as `timm/7x7`. */
function parseName(tensor: string, { id }: GoldenCase): { grid: PatchGrid; rule: PositionRule } {
  const [, name = '', rows, columns] = /^([^/]+)\/(\d+)x(\d+)$/.exec(tensor) ?? []
  const rule = RULES.get(name)
  if (rule === undefined) {
    throw new GoldenError(
      'unsupported',
      `The golden case ${id} has a tensor ${tensor}, whose rule is none of ${[...RULES.keys()].join(', ')}.`,
    )
  }
  return { grid: { rows: Number(rows), columns: Number(columns) }, rule }
}
