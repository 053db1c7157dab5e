/**
 * Tells which of Birder's networks a file holds that does not name it. What the tensors show of a network is compared with every registered one:
 * several classes have tensors of the same names and shapes and compute something else.
 */
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { PlainRecord } from '../../plain-value.js'
import {
  arithmeticOf,
  canRun,
  classOfPathOrNull,
  hasSettings,
  isPlain,
  networkOfPathOrNull,
  networksLikeVit,
  networksOfClass,
  type RegisteredNetwork,
  type SettingGroup,
} from '../networks.js'

export interface Identified {
  /** Names Birder's class. */
  readonly class: string
  /** Holds the settings of the network that is assumed, or null where no registered one has such tensors. */
  readonly config: PlainRecord | null
  /** Says in whole sentences what was assumed. */
  readonly assumptions: readonly string[]
}

/** These settings show in the tensors; the value is ViT's default (Birder net/vit.py). */
const SHOWN: PlainRecord = {
  patch_size: null,
  num_layers: null,
  num_parallel: 1,
  hidden_dim: null,
  mlp_dim: null,
  num_reg_tokens: 0,
  class_token: true,
  abs_pos_embed: true,
  pos_embed_special_tokens: true,
  stem_type: 'patchify',
  stem_norm_layer_type: 'LayerNorm2d',
  pre_norm: false,
  post_norm: true,
  norm_after_pool: false,
  qkv_bias: true,
  qk_norm: false,
  attn_norm: false,
  norm_layer_type: 'LayerNorm',
  mlp_layer_type: 'FFN',
  soft_moe_num_experts: 0,
  soft_moe_num_slots: 1,
  attn_pool_head: false,
  attn_pool_type: 'MultiHeadAttentionPool',
}

/** These settings are sizes: networks that differ in nothing else are built alike. */
const SIZES: ReadonlySet<string> = new Set([
  'patch_size',
  'num_layers',
  'hidden_dim',
  'mlp_dim',
  'num_reg_tokens',
  'soft_moe_num_experts',
  'soft_moe_num_slots',
])

/** These leave no trace in the tensors and change what is computed. */
const UNSEEN: PlainRecord = {
  num_heads: null,
  norm_layer_eps: 1e-6,
  act_layer_type: null,
  attn_pool_num_heads: null,
  attn_pool_special_tokens: false,
  attn_pool_norm_eps: 1e-5,
  attn_pool_act_layer_type: 'gelu',
  pos_embed_interpolation_mode: 'bicubic',
  rope_style: 'default',
  rope_rot_type: 'standard',
  rope_grid_indexing: 'ij',
  rope_grid_offset: 0,
  rope_temperature: 100,
  rope_reg_temperature: 100,
  pt_grid_size: null,
  window_size: null,
  num_windows: null,
  global_attn_indexes: null,
  mask_padded_attn: true,
}

/** Says what is known of a network that its file does not name. */
export interface Shown {
  /** Holds the settings that the tensors show. */
  readonly settings: PlainRecord
  /** Holds the settings that the file or the caller gives, which count before a registered network's. */
  readonly own: PlainRecord
  /** Names the class whose tensors have names of their own; null where they have those of ViT's. */
  readonly class: string | null
  /** Names the groups of settings that are given, which the class must have. */
  readonly groups: readonly SettingGroup[]
  readonly label: string
}

/** Throws `unsupported-network` where only networks that cannot be run, or cannot be told apart without a name, have such tensors. */
export function identifyNetwork(shown: Shown): Identified {
  const { own, label, groups } = shown
  const alike = networksAlike(shown)
  const hinted = networkOfPathOrNull(label)
  const meant = alike.find(({ name }) => name === hinted)
  if (meant !== undefined) return ofPath(meant, label)
  const kind = classOfPathOrNull(label)
  const spoken = kind === null || isPlain({ class: kind }) ? [] : alike.filter((one) => one.class === kind)
  const candidates = spoken.length > 0 ? spoken : alike
  const runnable = candidates.filter(canRun)
  if (candidates.length > 0 && runnable.length === 0) throw foreign(candidates, label)
  const [first] = [...runnable].sort((a, b) => settingsOf(a) - settingsOf(b))
  if (first === undefined) return ofNobody(shown)
  // No plain network looks so, and those that do turn by positions of which no tensor speaks: the likeliest of them is a guess.
  const isGuess = groups.length === 0 && shown.class === null && !isPlain(first) && spoken.length === 0
  const different = alike.filter((other) => !canRun(other) || unseenKey(other, own) !== unseenKey(first, own))
  if (isGuess && different.length > 0) throw foreign(candidates, label)
  if (isGuess) return assumed(first, label, 'no other registered one has such tensors')
  return {
    class: first.class,
    config: first.config,
    assumptions: different.length === 0 ? [] : [ambiguous(first, different, label)],
  }
}

/** Judges a network that nobody has registered by those that are built as it is, in other sizes, and by the class of which its path speaks. */
function ofNobody(shown: Shown): Identified {
  const { label, groups } = shown
  if (shown.class !== null) return { class: shown.class, config: null, assumptions: [] }
  const kin = networksAlike(shown, SIZES)
  const kind = classOfPathOrNull(label)
  if (kind !== null && !isPlain({ class: kind }))
    throw foreignBuild(label, `its path speaks of Birder's class ${kind}`)
  if (groups.some((group) => group !== 'packing' && group !== 'patches'))
    throw foreignBuild(label, `its settings are of another class than ViT (${groups.join(', ')})`)
  if (kin.length > 0 && !kin.some(isPlain))
    throw foreignBuild(label, `only networks such as ${listed(kin)} are built as it is`)
  return {
    class: 'ViT',
    config: null,
    assumptions: [
      custom(
        kin.filter((one) => !isPlain(one)),
        label,
      ),
    ],
  }
}

/** Gives the registered networks that leave the same traces, less those that are passed over. */
function networksAlike(shown: Shown, passed: ReadonlySet<string> = new Set()) {
  const { own, groups } = shown
  const key = shownKey({ ...shown.settings, ...own }, passed)
  const all = shown.class === null ? networksLikeVit() : networksOfClass(shown.class)
  return all.filter((one) => hasSettings(one, groups) && shownKey({ ...one.config, ...own }, passed) === key)
}

function shownKey(config: PlainRecord, passed: ReadonlySet<string>): string {
  const values = Object.entries(SHOWN).map(([name, fallback]) =>
    passed.has(name) ? null : (config[name] ?? fallback),
  )
  const special = (config.num_reg_tokens ?? 0) !== 0 || (config.class_token ?? true) === true
  const scaled = (config.layer_scale_init_value ?? null) !== null
  // Without special tokens or a table it makes no difference whether they have positions.
  const positioned = special && config.abs_pos_embed !== false && config.pos_embed_special_tokens !== false
  const rest = Object.keys(SHOWN).map((name, index) =>
    name === 'pos_embed_special_tokens' ? positioned : values[index],
  )
  return JSON.stringify([...rest, scaled])
}

function unseenKey(network: RegisteredNetwork, own: PlainRecord): string {
  const all = { ...network.config, ...own }
  const unseen = Object.entries(UNSEEN).map(([name, fallback]) => all[name] ?? fallback)
  return JSON.stringify([arithmeticOf(network), ...unseen])
}

/** The plainest network is assumed, which sets the least. */
function settingsOf({ class: kind, config, name }: RegisteredNetwork): number {
  return Object.keys(config).length * 1000 + (kind === 'ViT' ? 0 : 500) + name.length
}

function ofPath(network: RegisteredNetwork, label: string): Identified {
  if (!canRun(network)) throw foreign([network], label)
  return assumed(network, label, 'its path speaks of it and its tensors fit')
}

function assumed(network: RegisteredNetwork, label: string, why: string): Identified {
  return {
    class: network.class,
    config: network.config,
    assumptions: [
      `${label} does not say which network it holds; ${described(network)} is assumed, since ${why}. ${howToSay(network.name)}`,
    ],
  }
}

function ambiguous(assumed: RegisteredNetwork, others: readonly RegisteredNetwork[], label: string): string {
  return (
    `${label} does not say which network it holds: its tensors could be those of ${described(assumed)}, which is assumed, ` +
    `or of ${listed(others)}, which compute something else. ${howToSay(assumed.name)}`
  )
}

function custom(foreign: readonly RegisteredNetwork[], label: string): string {
  const such = foreign.length === 0 ? '' : ` (such as ${listed(foreign)})`
  return (
    `${label} does not say which network it holds, and its tensors are those of no registered one: Birder's class ViT is assumed, with its ` +
    `defaults for what leaves no trace in tensors. Networks with rotary positions or windows can look the same${such}; if it is one, the features are wrong. ` +
    KEEP_CONFIG
  )
}

/** Refuses what is most likely of a class that cannot be run, though no registered network is just so. */
function foreignBuild(label: string, why: string): CheckpointError {
  return new CheckpointError(
    'unsupported-network',
    `${label} does not say which network it holds, its tensors are those of no registered one, and ${why}: which class it is must be known. ${KEEP_CONFIG}`,
  )
}

function foreign(networks: readonly RegisteredNetwork[], label: string): CheckpointError {
  return new CheckpointError(
    'unsupported-network',
    `${label} does not begin with a network's name, and its tensors are those of ${listed(networks)}, ` +
      `${networks.some(canRun) ? 'which compute different things' : "whose class can't be run so far"}. Say which network it holds: ` +
      'network: NAME where a program loads it, --network NAME on the command line.',
  )
}

function howToSay(name: string): string {
  return `Say which it is: network: '${name}' where a program loads it, --network ${name} on the command line.`
}

const KEEP_CONFIG =
  'Keep the config.json that Birder writes beside it, which names its class and settings; or name a registered network of its class (network, --network) ' +
  'and, where a program loads it, the settings that differ (config).'

/** So many networks are named in a message, one of each class before a second of any. */
const MOST_LISTED = 6

function listed(networks: readonly RegisteredNetwork[]): string {
  const firsts = networks.filter(
    ({ class: kind }, index) => networks.findIndex((one) => one.class === kind) === index,
  )
  const ordered = [...new Set([...firsts, ...networks])]
  const names = ordered.slice(0, MOST_LISTED).map(described)
  const more = networks.length - names.length
  return more > 0 ? `${names.join(', ')} or ${more} more` : names.join(' or ')
}

function described({ name, class: kind }: RegisteredNetwork): string {
  return `${name} (${kind})`
}
