/** Plans the ways between a grid and its windows. */
import type { AttentionBias, AttentionMask, SlotName } from '../engine/plan.js'
import { sizeAt } from '../tensor/shape.js'
import type { PlanBuilder } from './plan-builder.js'
import type { PatchGrid } from './positions.js'
import { specialTokens, type VitConfig } from './vit-config.js'
import { filledFirst, indexOf, layOut, offsetGrid, offsetName, type Windows } from './windows.js'

/** Holds what a plan with windows is made with. */
interface WindowContext {
  readonly builder: PlanBuilder
  readonly config: VitConfig
  readonly grid: PatchGrid
  readonly hasTables: boolean
}

/** Says how the rows of one attention see each other. */
export interface Seeing {
  readonly groups: number
  readonly mask: AttentionMask | null
  readonly bias: AttentionBias | null
  /** Says which token each row is, and -1 for an empty place of a window; null where the rows are all tokens in their order. */
  readonly tokens: readonly number[] | null
}

type Attend = (input: SlotName, seeing: Seeing) => SlotName

/** Attends in windows or across the grid, as the block does; input and output are laid out as between blocks. */
export function planWindowed(
  context: WindowContext,
  windows: Windows,
  block: number,
  input: SlotName,
  attend: Attend,
): SlotName {
  const { grid } = context
  const isGlobal = windows.globalBlocks.includes(block)
  const { count } = layOut(windows, grid)
  const bias = offsetsOf(context, windows, block)
  const name = `encoder.block.${block}.attn`
  if (windows.around === 'attention') {
    if (isGlobal) return attend(input, { groups: 1, mask: null, bias, tokens: null })
    const cut = toWindows(context, windows, input, `${name}.windows`)
    const tokens = windowedTokens(context, windows)
    return toGrid(context, windows, attend(cut, { groups: count, mask: null, bias, tokens }), `${name}.grid`)
  }
  if (!isGlobal) {
    const tokens = windowedTokens(context, windows)
    return attend(input, { groups: count, mask: maskOf(context, windows), bias, tokens })
  }
  const joined = toGrid(context, windows, input, `${name}.grid`)
  const whole = attend(joined, { groups: 1, mask: null, bias, tokens: null })
  return toWindows(context, windows, whole, `${name}.windows`)
}

function offsetsOf(
  { grid, hasTables }: WindowContext,
  windows: Windows,
  block: number,
): AttentionBias | null {
  if (windows.offsets === null || !hasTables) return null
  const [rowTable, columnTable] = [offsetName(block, 'rows'), offsetName(block, 'columns')]
  return { kind: 'decomposed', rowTable, columnTable, ...offsetGrid(windows, block, grid) }
}

/** Lays the rows of a grid out window after window; special tokens lead each. */
export function toWindows(
  context: WindowContext,
  windows: Windows,
  input: SlotName,
  output: SlotName,
): SlotName {
  return context.builder.gather(input, output, windowedTokens(context, windows), 'windows.cut')
}

/** Numbers the token in each place, window after window; -1 where a place is empty. */
function windowedTokens(context: WindowContext, windows: Windows): readonly number[] {
  const special = specialTokens(context.config)
  return placesOf(context, windows).flatMap((places) => [
    ...Array.from({ length: special }, (_, token) => token),
    ...places.map((patch) => (patch < 0 ? -1 : special + patch)),
  ])
}

/** Puts a grid together of its windows: each patch is taken from the window that has it, and each special token is the mean of its copies in all windows. */
export function toGrid(
  context: WindowContext,
  windows: Windows,
  input: SlotName,
  output: SlotName,
): SlotName {
  const { builder, config, grid } = context
  const width = sizeAt(builder.shapeOf(input), 1)
  const special = specialTokens(config)
  const windowed = placesOf(context, windows)
  const each = special + (windowed[0]?.length ?? 0)
  const patches = new Array<number>(grid.rows * grid.columns).fill(-1)
  for (const [at, places] of windowed.entries()) {
    for (const [place, patch] of places.entries())
      if (patch >= 0) patches[patch] = at * each + special + place
  }
  if (special === 0) return builder.gather(input, output, patches, 'windows.join')
  const places = builder.gather(input, `${output}.patches`, patches)
  const tokens = Array.from({ length: special }, (_, token) =>
    windowed.map((_places, at) => at * each + token),
  )
  const copies = builder.gather(input, `${output}.copies`, tokens.flat())
  const means = builder.step({ op: 'meanRows', input: copies, output: `${output}.special` }, [special, width])
  return builder.stack([means, places], output)
}

/** Offsets need each place where it is; without them a mask is simpler where patches lead. */
function placesOf({ grid }: WindowContext, windows: Windows): readonly (readonly number[])[] {
  const layout = layOut(windows, grid)
  if (windows.offsets === null) return filledFirst(layout)
  const each = layout.patches.length / layout.count
  return Array.from({ length: layout.count }, (_, at) => layout.patches.slice(at * each, (at + 1) * each))
}

/** A window without any patch and without special tokens sees all of its empty places, so that its rows are numbers, which nobody reads. */
function maskOf(context: WindowContext, windows: Windows): AttentionMask | null {
  const { builder, config } = context
  const windowed = placesOf(context, windows)
  if (windows.attendsEmpty || windowed.every((places) => places.every((patch) => patch >= 0))) return null
  const special = specialTokens(config)
  const seen = windowed.map((places) => {
    const count = special + places.filter((patch) => patch >= 0).length
    return count === 0 ? places.length : count
  })
  const counts = 'windows.counts'
  builder.constants.set(counts, indexOf(seen))
  return { kind: 'keys', counts }
}
