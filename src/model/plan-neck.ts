/** Plans the neck of an image encoder: a convolution of single patches and one of 3 x 3, each with a norm behind it (Kirillov et al. 2023, "Segment anything"). */
import type { SlotName } from '../engine/plan.js'
import type { PlanBuilder } from './plan-builder.js'
import type { PatchGrid } from './positions.js'
import type { VitConfig } from './vit-config.js'
import { indexOf } from './windows.js'

/** Lists the offsets of a kernel of 3 x 3, row by row. */
export const KERNEL_OFFSETS: readonly (readonly [row: number, column: number])[] = [-1, 0, 1].flatMap((row) =>
  [-1, 0, 1].map((column) => [row, column] as const),
)

/** The wider convolution is a matrix for each of its nine places, on rows that are moved by as much; what lies beyond the edge is zeros. */
export function planNeck(
  builder: PlanBuilder,
  { epsilon }: VitConfig,
  channels: number,
  grid: PatchGrid,
  input: SlotName,
  output: SlotName,
): SlotName {
  const norm = (slot: SlotName, module: string, name: string) =>
    builder.norm(slot, name, builder.normWeights(module, channels, 'layerNorm', epsilon))
  const single = builder.linear(input, `${output}.0`, 'neck.0', channels, false)
  const normed = norm(single, 'neck.1', `${output}.1`)
  const shape = builder.shapeOf(normed)
  let sum: SlotName | null = null
  for (const [place, offset] of KERNEL_OFFSETS.entries()) {
    const index = `neck.places.${place}`
    builder.constants.set(index, indexOf(moved(grid, offset)))
    const rows = builder.step(
      { op: 'gatherRows', input: normed, output: `${output}.moved.${place}`, index },
      shape,
    )
    const branch = builder.linear(rows, `${output}.2.${place}`, `neck.2.${place}`, channels, false)
    sum =
      sum === null
        ? branch
        : builder.step({ op: 'add', input: sum, branch, output: `${output}.sum.${place}` }, shape)
  }
  return norm(sum ?? normed, 'neck.3', output)
}

function moved({ rows, columns }: PatchGrid, [down, right]: readonly [number, number]): readonly number[] {
  return Array.from({ length: rows * columns }, (_, cell) => {
    const [row, column] = [Math.floor(cell / columns) + down, (cell % columns) + right]
    const isInside = row >= 0 && row < rows && column >= 0 && column < columns
    return isInside ? row * columns + column : -1
  })
}
