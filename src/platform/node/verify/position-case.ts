/** Position tables alone, resampled by each library's rule. */
import { join } from 'node:path'
import { type PositionRule, resamplePositions } from '../../../model/positions.js'
import { type Comparison, compare, type GoldenCase, readTensors } from '../../../verify/case.js'
import { openFile } from '../open-file.js'
import type { FolderContext } from './folder-context.js'

const RULES: Readonly<Record<string, PositionRule>> = {
  'birder-adjust': 'antialias',
  timm: 'antialias',
  'facebook-registers': 'antialias',
  'birder-dynamic': 'bicubic',
  'hugging-face': 'bicubic',
  facebook: 'bicubic-offset',
}

export async function* runPositionCase(
  golden: GoldenCase,
  { root }: FolderContext,
): AsyncGenerator<Comparison, void, undefined> {
  const values = await readTensors(await openFile(join(root, golden.expected?.path ?? '')))
  const [rows, columns] = golden.old_grid as [number, number]
  const table = values.get('table') ?? new Float32Array()
  for (const [tensor, expected] of values) {
    const [rule, size] = tensor.split('/')
    if (size === undefined) continue
    const [newRows, newColumns] = size.split('x').map(Number)
    const actual = resamplePositions(
      table,
      { rows, columns },
      { rows: newRows, columns: newColumns },
      RULES[rule],
    )
    yield compare(golden, tensor, actual, expected)
  }
}
