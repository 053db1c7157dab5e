/** Finds Birder's registered networks by name, and so what a name says about a checkpoint. */
import { CheckpointError } from '../checkpoint/checkpoint-error.js'
import { nearestNames } from '../nearest-names.js'
import type { PlainRecord } from '../plain-value.js'
import { decodeNetwork, linesByName, type NetworkData } from './decode-networks.js'
import { NETWORK_LINES } from './network-lines.js'

export interface RegisteredNetwork extends NetworkData {
  readonly name: string
}

/** Names what a class has beside ViT's settings. */
export type SettingGroup = 'rotary' | 'windows' | 'branches' | 'experts' | 'patches' | 'packing'

interface NetworkClass {
  /** Names its arithmetic: classes that share it compute the same of the same settings, for one image at the size that it was trained at. */
  readonly arithmetic: Arithmetic
  /** Tells whether its networks can be run. */
  readonly runs: boolean
  /** Tells whether its tensors have the names of ViT's. */
  readonly looksLikeVit: boolean
  /** Holds the settings that its networks have where they set none and ViT would have others. */
  readonly defaults: PlainRecord
  /** Lists the groups of settings that only some classes have. */
  readonly has: readonly SettingGroup[]
  /** Lists settings of ViT's that it does not have, though no tensor shows them; default: none. */
  readonly lacks?: readonly string[]
}

/** Names a way to compute. */
export type Arithmetic =
  | 'plain'
  | 'rotary'
  | 'rotary-registers'
  | 'windowed'
  | 'distilled'
  | 'sines'
  | 'branches'
  | 'sam'
  | 'experts'
  | 'rotary-experts'

const PLAIN_CLASS: NetworkClass = {
  arithmetic: 'plain',
  runs: true,
  looksLikeVit: true,
  defaults: {},
  has: [],
}
const ROTARY: NetworkClass = { ...PLAIN_CLASS, arithmetic: 'rotary', has: ['rotary'] }
/** Name settings of ViT's that show in no tensor, which classes that were written apart do not read. */
const ACTIVATION = ['act_layer_type']
const BILINEAR = ['pos_embed_interpolation_mode']
const POOLING = [
  'attn_pool_num_heads',
  'attn_pool_special_tokens',
  'attn_pool_norm_eps',
  'attn_pool_act_layer_type',
]
const EPSILON = ['norm_layer_eps']
const SOFT = ['soft_moe_num_experts', 'soft_moe_num_slots']
const BARE_POSITIONS: PlainRecord = { pos_embed_special_tokens: false }

/**
 * Lists Birder's classes of vision transformers (net/*.py). FlexiViT and NaFlex_ViT differ from ViT in how they are trained and in what else they take;
 * the others compute something else.
 */
const CLASSES: { readonly [name: string]: NetworkClass } = {
  ViT: PLAIN_CLASS,
  FlexiViT: { ...PLAIN_CLASS, defaults: BARE_POSITIONS, has: ['patches'] },
  NaFlex_ViT: { ...PLAIN_CLASS, has: ['packing'] },
  RoPE_ViT: ROTARY,
  NaFlex_RoPE_ViT: { ...ROTARY, has: ['rotary', 'packing'] },
  RoPE_FlexiViT: { ...ROTARY, defaults: BARE_POSITIONS, has: ['rotary', 'patches'] },
  RoPE_ViT5: {
    ...ROTARY,
    arithmetic: 'rotary-registers',
    defaults: {
      layer_scale_init_value: 1e-4,
      qkv_bias: false,
      qk_norm: true,
      norm_layer_type: 'RMSNorm',
      pos_embed_special_tokens: false,
      rope_temperature: 10000,
    },
    lacks: BILINEAR,
  },
  ViT_Windowed: {
    ...PLAIN_CLASS,
    arithmetic: 'windowed',
    has: ['windows'],
    lacks: [...ACTIVATION, ...POOLING, 'neck_channels'],
  },
  ViT_SAM: {
    ...PLAIN_CLASS,
    arithmetic: 'sam',
    looksLikeVit: false,
    has: ['windows'],
    defaults: { class_token: false, pos_embed_special_tokens: false, post_norm: false },
    lacks: [...ACTIVATION, ...POOLING, ...BILINEAR, 'num_windows', 'mask_padded_attn'],
  },
  DeiT: {
    ...PLAIN_CLASS,
    arithmetic: 'distilled',
    looksLikeVit: false,
    lacks: [...ACTIVATION, ...BILINEAR, ...POOLING, ...EPSILON],
  },
  Simple_ViT: {
    ...PLAIN_CLASS,
    arithmetic: 'sines',
    looksLikeVit: false,
    defaults: { class_token: false, pos_embed_special_tokens: false },
    lacks: [...ACTIVATION, ...BILINEAR, ...POOLING, ...EPSILON, 'pos_embed_antialias'],
  },
  ViT_Parallel: {
    ...PLAIN_CLASS,
    arithmetic: 'branches',
    looksLikeVit: false,
    has: ['branches'],
    lacks: [...ACTIVATION, ...BILINEAR, ...POOLING],
  },
  ViT_MoE: { ...PLAIN_CLASS, arithmetic: 'experts', looksLikeVit: false, has: ['experts'], lacks: SOFT },
  RoPE_ViT_MoE: {
    ...ROTARY,
    arithmetic: 'rotary-experts',
    looksLikeVit: false,
    has: ['rotary', 'experts'],
    lacks: SOFT,
  },
}

let lines: ReadonlyMap<string, string> | null = null
const decoded = new Map<string, NetworkData>()
let likeVit: readonly RegisteredNetwork[] | null = null

/** Lists every network of Birder's vision-transformer families, those that cannot be run included. Most are never asked for more than their name. */
function allLines(): ReadonlyMap<string, string> {
  lines ??= linesByName(NETWORK_LINES)
  return lines
}

/** Gives null where no network has that name. A line is decoded when its network is first asked for: all of them take a good part of what a small model does. */
function networkOrNull(name: string): NetworkData | null {
  const line = allLines().get(name)
  if (line === undefined) return null
  const network = decoded.get(name) ?? decodeNetwork(line)
  decoded.set(name, network)
  return network
}

/** Lists the names of Birder's networks that can be run. */
export function networkNames(): readonly string[] {
  return [...allLines().keys()]
}

/** Tells whether a network of this name is registered and can be run. */
export function isRunnable(name: string): boolean {
  const network = networkOrNull(name.toLowerCase())
  return network !== null && canRun(network)
}

/** Lists the networks whose tensors can have the names of ViT's, each with all its settings but ViT's own defaults. */
export function networksLikeVit(): readonly RegisteredNetwork[] {
  likeVit ??= networkNames().flatMap((name) => {
    const network = networkOrNull(name)
    const kind = network === null ? null : classOrNull(network.class)
    if (network === null || kind === null || !kind.looksLikeVit) return []
    return [{ name, ...network, config: { ...kind.defaults, ...network.config } }]
  })
  return likeVit
}

/** Gives the networks of one class, each with all its settings but ViT's own defaults. */
export function networksOfClass(kind: string): readonly RegisteredNetwork[] {
  return networkNames()
    .flatMap((name) => {
      const network = networkOrNull(name)
      return network === null ? [] : [[name, network] as const]
    })
    .filter(([, network]) => network.class === kind)
    .map(([name, network]) => ({
      name,
      ...network,
      config: { ...classOrNull(kind)?.defaults, ...network.config },
    }))
}

/** Tells whether a network's class computes what ViT does. */
export function isPlain({ class: kind }: Pick<NetworkData, 'class'>): boolean {
  return classOrNull(kind)?.arithmetic === 'plain'
}

/** Names what a network's class computes; null for a class that is not known. */
export function arithmeticOf({ class: kind }: Pick<NetworkData, 'class'>): Arithmetic | null {
  return classOrNull(kind)?.arithmetic ?? null
}

/** Lists settings of ViT's that a class does not have, though no tensor shows them. */
export function settingsLackedBy({ class: kind }: Pick<NetworkData, 'class'>): readonly string[] {
  return classOrNull(kind)?.lacks ?? []
}

/** Tells whether a class has settings of each of these groups. */
export function hasSettings(
  { class: kind }: Pick<NetworkData, 'class'>,
  groups: readonly SettingGroup[],
): boolean {
  const has = classOrNull(kind)?.has ?? []
  return groups.every((group) => has.includes(group))
}

export function canRun({ class: kind }: Pick<NetworkData, 'class'>): boolean {
  return classOrNull(kind)?.runs ?? false
}

/**
 * Gives a network with all its settings but ViT's own defaults. Names are matched in lower case, as Birder's registry does. Throws
 * `unsupported-network`.
 */
export function findNetwork(name: string): RegisteredNetwork {
  const key = name.toLowerCase()
  const network = networkOrNull(key)
  if (network === null) {
    const near = nearestNames(key, networkNames()).join(', ')
    throw new CheckpointError(
      'unsupported-network',
      `No network is named ${name}. The nearest names are ${near}.`,
    )
  }
  return { name: key, ...network, config: { ...classOf(name, network.class).defaults, ...network.config } }
}

/** Gives the defaults of one of Birder's classes by its name in any case. `what` names in the error what is of the class. Throws `unsupported-network`. */
export function classOf(what: string, name: string): NetworkClass & { readonly name: string } {
  const found = classOrNull(name)
  if (found?.runs) return found
  const classes = Object.keys(CLASSES).filter((other) => CLASSES[other]?.runs)
  throw new CheckpointError(
    'unsupported-network',
    `${what} is of Birder's class ${name}; only networks of ${classes.join(', ')} can be run so far.`,
  )
}

function classOrNull(name: string): (NetworkClass & { readonly name: string }) | null {
  const found = Object.entries(CLASSES).find(([other]) => other.toLowerCase() === name.toLowerCase())
  return found === undefined ? null : { ...found[1], name: found[0] }
}

/**
 * Tells which network a file's name begins with, as Birder names its files (`NETWORK_TAG.pt`); null where it begins with none.
 * The longest such name wins: `vit_b16_ap_x.pt` is `vit_b16_ap`, not `vit_b16`.
 */
export function networkOfFileOrNull(label: string): string | null {
  const base = partsOf(label).at(-1) ?? ''
  return longest(networkNames().filter((name) => base.startsWith(name) && endsAt(base, name.length)))
}

/**
 * Tells which network a path speaks of elsewhere: within the file's name, else in the names of the folders around it, the nearest first. It is a hint
 * and no more, since anything may lie in a folder.
 */
export function networkOfPathOrNull(label: string): string | null {
  return spokenOfOrNull(label, networkNames())
}

/** Tells in the same way of which class a path speaks, by its own name or by that of one of its networks. */
export function classOfPathOrNull(label: string): string | null {
  const kinds = Object.keys(CLASSES)
  const named = spokenOfOrNull(label, [...networkNames(), ...kinds.map((kind) => kind.toLowerCase())])
  if (named === null) return null
  return networkOrNull(named)?.class ?? kinds.find((kind) => kind.toLowerCase() === named) ?? null
}

function spokenOfOrNull(label: string, names: readonly string[]): string | null {
  for (const part of [...partsOf(label)].reverse()) {
    const found = longest(names.filter((name) => speaksOf(part, name)))
    if (found !== null) return found
  }
  return null
}

function partsOf(label: string): readonly string[] {
  return label.toLowerCase().split(/[/\\]/)
}

function speaksOf(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1)) {
    const startsThere = at === 0 || /[^a-z0-9]/.test(text.charAt(at - 1))
    if (startsThere && endsAt(text, at + name.length)) return true
  }
  return false
}

function endsAt(text: string, at: number): boolean {
  return at === text.length || /[^a-z0-9]/.test(text.charAt(at))
}

function longest(names: readonly string[]): string | null {
  return names.reduce<string | null>((best, name) => (name.length > (best?.length ?? 0) ? name : best), null)
}
