/** Reads Birder's settings of routed experts (net/vit_moe.py, layers/moe.py): which blocks have them, how many, and who chooses whom. */
import type { ExpertRouting, FineExperts, RoutedExperts } from '../vit-config.js'
import type { ConfigReader } from './config-reader.js'

/** Is what the settings of experts rest on. */
interface Trunk {
  readonly depth: number
  readonly hidden: number
  readonly mlp: string
  /** Counts class token and registers. */
  readonly special: number
}

/** Throws `contradiction` for settings that Birder would not build a network of, or whose experts nothing would reach. */
export function readRoutedExperts(
  config: ConfigReader,
  { depth, hidden, mlp, special }: Trunk,
): RoutedExperts {
  if (mlp === 'softMoe')
    throw config.refuse('mlp_layer_type', 'FFN, SwiGLU_FFN or Norm_SwiGLU_FFN beside routed experts')
  const isFine = config.choice('moe_ffn_type', EXPERT_KINDS, 'VMoE_FFN') === 'fine'
  const count = wholeAbove(config, 'moe_num_routed_experts', 0, 8)
  return {
    blocks: readBlocks(config, depth),
    count,
    hidden: wholeAbove(config, 'moe_expert_width', 0, hidden),
    routing: isFine ? readFineRouting(config, count) : readCapacity(config, count),
    fine: isFine ? readFine(config, special) : null,
  }
}

const EXPERT_KINDS: ReadonlyMap<string, 'fine' | 'plain'> = new Map([
  ['VMoE_FFN', 'plain'],
  ['MoE_FFN', 'fine'],
])
const ROUTINGS: ReadonlyMap<string, 'sigmoid' | 'byExperts'> = new Map([
  ['token_choice', 'sigmoid'],
  ['expert_choice', 'byExperts'],
])

function wholeAbove(config: ConfigReader, key: string, least: number, fallback: number): number {
  const value = config.number(key, fallback)
  if (Number.isInteger(value) && value > least) return value
  throw config.refuse(key, `a whole number above ${least}`)
}

function readChoices(config: ConfigReader, least: number, experts: number): number {
  const choices = config.number('moe_top_k', 2)
  if (Number.isInteger(choices) && choices >= least && choices <= experts) return choices
  throw config.refuse('moe_top_k', `a whole number from ${least} to the ${experts} experts`)
}

/** V-MoE lets an expert take no more tokens than it has room for. */
function readCapacity(config: ConfigReader, experts: number): ExpertRouting {
  const key = 'moe_capacity_multiple_of'
  return {
    kind: 'softmax',
    choices: readChoices(config, 1, experts),
    capacityFactor: config.number('moe_eval_capacity_factor', 4),
    // Null, and not to be absent, says that the room is not rounded up.
    multipleOf: config.isNull(key) ? 1 : wholeAbove(config, key, 0, 4),
  }
}

function readFineRouting(config: ConfigReader, experts: number): ExpertRouting {
  const kind = config.choice('moe_routing_type', ROUTINGS, 'token_choice')
  if (kind === 'sigmoid') return { kind, choices: readChoices(config, 2, experts) }
  const capacityFactor = config.number('moe_expert_choice_capacity_factor', 2)
  if (capacityFactor > 0 && capacityFactor <= experts) return { kind, capacityFactor }
  throw config.refuse('moe_expert_choice_capacity_factor', `a number above 0, at most the ${experts} experts`)
}

function readFine(config: ConfigReader, specialTokens: number): FineExperts {
  const special = wholeAbove(config, 'moe_num_special_token_experts', -1, 0)
  if (special > 0 && specialTokens === 0)
    throw config.refuse('moe_num_special_token_experts', '0 in a network without class token and registers')
  return {
    bias: config.flag('moe_ffn_bias', false),
    shared: wholeAbove(config, 'moe_num_shared_experts', -1, 0),
    special,
    scale: config.number('moe_routed_scaling_factor', 1),
  }
}

/** One of three settings says which blocks have experts: a list, each so many, or the last ones. */
function readBlocks(config: ConfigReader, depth: number): readonly number[] {
  const given = ['moe_layers', 'moe_every_n_layers', 'moe_last_n_layers'].filter((key) => config.has(key))
  const [by, ...others] = given
  if (by === undefined || others.length > 0)
    throw config.refuse(
      others[0] ?? 'moe_layers',
      'one of moe_layers, moe_every_n_layers and moe_last_n_layers',
    )
  const stride = wholeAbove(config, 'moe_last_n_layers_stride', 0, 1)
  const offset = wholeAbove(config, 'moe_last_n_layers_offset', -1, 0)
  if (by !== 'moe_last_n_layers') {
    if (stride !== 1) throw config.refuse('moe_last_n_layers_stride', `1 with ${by}`)
    if (offset !== 0) throw config.refuse('moe_last_n_layers_offset', `0 with ${by}`)
  }
  if (by === 'moe_layers') return listedBlocks(config, depth)
  const all = Array.from({ length: depth }, (_, block) => block)
  if (by === 'moe_every_n_layers') {
    const every = wholeAbove(config, by, 0, 1)
    return all.filter((block) => (block + 1) % every === 0)
  }
  const count = wholeAbove(config, by, 0, 1)
  const last = depth - offset - 1
  if ((count - 1) * stride > last) throw config.refuse(by, `no more blocks than the ${depth} have room for`)
  return all.filter(
    (block) => block <= last && (last - block) % stride === 0 && (last - block) / stride < count,
  )
}

function listedBlocks(config: ConfigReader, depth: number): readonly number[] {
  const blocks = config.numbersOrNull('moe_layers') ?? []
  if (blocks.every((block) => Number.isInteger(block) && block >= 0 && block < depth))
    return [...new Set(blocks)].sort((a, b) => a - b)
  throw config.refuse('moe_layers', `blocks from 0 to ${depth - 1}`)
}
