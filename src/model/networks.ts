/** Finds Birder's registered networks by name, and so what a name says about a checkpoint. */
import { CheckpointError } from '../checkpoint/checkpoint-error.js'
import { nearestNames } from '../nearest-names.js'
import type { PlainRecord } from '../plain-value.js'
import { decodeNetwork, linesByName, type NetworkData } from './decode-networks.js'
import { NETWORK_LINES } from './network-lines.js'

export interface RegisteredNetwork extends NetworkData {
  readonly name: string
}

interface NetworkClass {
  /** Tells whether its arithmetic is ViT's, for images at the size that it was trained at. */
  readonly runs: boolean
  /** Holds the settings that its networks have where they set none and ViT would have others. */
  readonly defaults: PlainRecord
}

const ROTARY: NetworkClass = { runs: false, defaults: {} }

/**
 * Lists Birder's classes whose tensors can have the names of ViT's (net/*.py). FlexiViT and NaFlex_ViT differ from it in how they are trained and in
 * what else they take; the others compute something else. Tensors of classes that are not listed have names or shapes of their own
 * (dialects/other-families.ts).
 */
const CLASSES: { readonly [name: string]: NetworkClass } = {
  ViT: { runs: true, defaults: {} },
  FlexiViT: { runs: true, defaults: { pos_embed_special_tokens: false } },
  NaFlex_ViT: { runs: true, defaults: {} },
  RoPE_ViT: ROTARY,
  NaFlex_RoPE_ViT: ROTARY,
  RoPE_FlexiViT: { runs: false, defaults: { pos_embed_special_tokens: false } },
  RoPE_ViT5: {
    runs: false,
    defaults: {
      layer_scale_init_value: 1e-4,
      qkv_bias: false,
      qk_norm: true,
      norm_layer_type: 'RMSNorm',
      pos_embed_special_tokens: false,
    },
  },
  ViT_Windowed: { runs: false, defaults: {} },
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
    return network === null || kind === null
      ? []
      : [{ name, ...network, config: { ...kind.defaults, ...network.config } }]
  })
  return likeVit
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
export function classOf(what: string, name: string): NetworkClass {
  const found = classOrNull(name)
  if (found?.runs) return found
  const classes = Object.keys(CLASSES).filter((other) => CLASSES[other]?.runs)
  throw new CheckpointError(
    'unsupported-network',
    `${what} is of Birder's class ${name}; only networks of ${classes.join(', ')} can be run so far.`,
  )
}

function classOrNull(name: string): NetworkClass | null {
  const found = Object.entries(CLASSES).find(([other]) => other.toLowerCase() === name.toLowerCase())
  return found?.[1] ?? null
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
