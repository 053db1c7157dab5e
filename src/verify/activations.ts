/** Finds golden tensors, which have the names of PyTorch's modules, in a plan's slots. */
import type { SlotName } from '../engine/plan.js'
import { softmaxRows } from '../kernels/softmax.js'
import type { VitPlan } from '../model/plan-vit.js'
import type { PositionRule } from '../model/positions.js'
import { birderOrder, patchMaps } from '../model/token-layout.js'
import { specialTokens, type VitConfig } from '../model/vit-config.js'
import { layOut } from '../model/windows.js'
import { GoldenError } from './golden-error.js'

export type Order = 'canonical' | 'birder'

/** Says which slot holds a golden tensor, and how its numbers are laid out there. */
export interface Place {
  readonly slot: SlotName
  readonly layout:
    | 'as is'
    | 'class'
    | 'registers'
    | 'others'
    | 'doubled'
    | 'tokens'
    | 'patches'
    | 'patches as map'
    | 'tokens as map'
    | 'softmax'
    | 'windows'
    | 'routed'
    | 'routing'
  /** Is the token that `others` leaves out. */
  readonly row?: number
}

/** Birder's `adjust_size` and `set_dynamic_size` resample in ways of their own; a dialect's own rule comes with the checkpoint. */
export function ruleOf(
  position: string | undefined,
  { positions }: VitConfig,
  library?: unknown,
): PositionRule {
  // Nothing in the bare files of the first DINO says so, and its users must (option positions).
  if (library === 'facebookresearch/dino') return 'bicubic-offset'
  const plain = positions?.dynamicRule ?? 'bicubic'
  if (position === 'dynamic' || position === 'patch-size' || position === 'naflex') return plain
  if (position === 'adjust-patch-size') return 'antialias'
  if (position === 'adjust') return positions?.adjustRule ?? positions?.rule ?? 'antialias'
  return positions?.rule ?? 'antialias'
}

/** Gives null where the network has no such activation. */
export function placeOrNull(tensor: string, { plan, slots }: VitPlan): Place | null {
  const stage = /^detection_features\.stage(\d+)$/.exec(tensor)
  if (stage !== null) {
    const slot = slots.taps[Number(stage[1]) - 1]
    return slot === undefined ? null : { slot, layout: 'tokens as map' }
  }
  if (tensor === 'probabilities') return { slot: slots.logits ?? slots.embedding, layout: 'softmax' }
  if (tensor === 'logits') return { slot: slots.logits ?? slots.embedding, layout: 'as is' }
  if (tensor === 'embedding') return { slot: slots.embedding, layout: 'as is' }
  if (tensor === 'conv_proj') return { slot: 'conv_proj', layout: 'patches as map' }
  if (tensor === 'forward_features' || tensor === 'tokens') return { slot: slots.tokens, layout: 'tokens' }
  const [, block, part] = /^(.+)\.router\.(indices|weights)$/.exec(tensor) ?? []
  if (block !== undefined && plan.slots.has(`${block}.mlp.router`))
    return { slot: `${block}.mlp.router`, layout: part === 'indices' ? 'routed' : 'routing' }
  const [, body] = /^body\.(\w+)$/.exec(tensor) ?? []
  if (body !== undefined)
    return { slot: body === 'input' ? 'encoder.input' : `encoder.block.${body}`, layout: 'as is' }
  const slot = [tensor, ...renamed(tensor)].find((name) => plan.slots.has(name))
  return slot === undefined ? null : { slot, layout: 'tokens' }
}

function renamed(tensor: string): readonly string[] {
  if (tensor === 'tokens_in') return ['encoder.input']
  if (/^blocks\.\d+$/.test(tensor)) return [tensor.replace('blocks', 'encoder.block')]
  // Without layer scale the module is the identity, and the golden its input.
  if (tensor.endsWith('.layer_scale_1')) return [tensor.replace('layer_scale_1', 'attn.proj')]
  if (tensor.endsWith('.layer_scale_2'))
    return ['mlp.3', 'mlp'].map((part) => tensor.replace('layer_scale_2', part))
  return []
}

/** Lays out a slot's numbers, [B, rows, width], as the golden has them. */
export function arrange(
  values: Float32Array,
  place: Place,
  plan: VitPlan,
  config: VitConfig,
  order: Order,
  batch: number,
) {
  const width = plan.plan.slots.get(place.slot)?.[1]
  if (width === undefined)
    throw new GoldenError('incomplete', `The plan has no rows in a slot ${place.slot}.`)
  switch (place.layout) {
    case 'as is':
      return values
    // A classifier of two tokens holds half of what each gives, so that their sum is the mean.
    case 'doubled':
      return values.map((value) => 2 * value)
    case 'class':
      return takeRows(values, batch, 0, width)
    case 'registers':
      return takeRows(values, batch, config.classToken ? width : 0, config.registers * width)
    case 'others':
      return withoutRow(values, batch, width, place.row ?? 0)
    case 'softmax':
      return softmaxRows(values, width)
    case 'patches as map':
      return patchMaps(values, batch, width, 0)
    case 'patches':
      return takeRows(values, batch, specialTokens(config) * width)
    case 'windows':
      return inWindows(values, plan, config, batch)
    case 'tokens as map':
      return patchMaps(values, batch, width, specialTokens(config))
    case 'routing':
      return routedRows(values, place, plan, batch)
    case 'routed':
      return routedRows(values, place, plan, batch).map((weight) => (weight === 0 ? 0 : 1))
    case 'tokens':
      return order === 'birder' ? birderOrder(values, batch, { ...config, width }) : values
  }
}

/** Leaves out the tokens that are routed nowhere. */
function routedRows(values: Float32Array, { slot }: Place, { plan }: VitPlan, batch: number): Float32Array {
  const route = plan.steps.find(({ output }) => output === slot)
  const [, experts = 0] = plan.slots.get(slot) ?? []
  return takeRows(values, batch, route?.op === 'route' ? route.firstRow * experts : 0)
}

/** Birder's windows have registers, class token, and each patch in its place; here patches lead the empty places of a window. */
function inWindows(values: Float32Array, { grid }: VitPlan, config: VitConfig, batch: number): Float32Array {
  const { windows, width } = config
  if (windows === null) throw new GoldenError('incomplete', 'The network has no windows.')
  const layout = layOut(windows, grid)
  const special = specialTokens(config)
  const each = layout.patches.length / layout.count
  const out = birderOrder(values, batch * layout.count, { ...config, width })
  const ordered = out.slice()
  for (let window = 0; window < batch * layout.count; window++) {
    const first = (window % layout.count) * each
    const places = Array.from({ length: each }, (_, place) => place)
    const isFilled = (place: number) => (layout.patches[first + place] ?? -1) >= 0
    const ours = [...places.filter(isFilled), ...places.filter((place) => !isFilled(place))]
    for (const [at, place] of ours.entries()) {
      const [from, to] = [at, place].map((row) => (window * (special + each) + special + row) * width)
      if (from !== undefined) ordered.set(out.subarray(from, from + width), to)
    }
  }
  return ordered
}

/** Takes a part of each image's numbers, from `first` on: `length` of them, or all that follow. */
function takeRows(values: Float32Array, batch: number, first: number, length?: number): Float32Array {
  const each = values.length / batch
  const taken = length ?? each - first
  const out = new Float32Array(batch * taken)
  for (let b = 0; b < batch; b++) {
    out.set(values.subarray(b * each + first, b * each + first + taken), b * taken)
  }
  return out
}

function withoutRow(values: Float32Array, batch: number, width: number, row: number): Float32Array {
  const each = values.length / batch
  return values.filter((_, at) => Math.floor((at % each) / width) !== row)
}
