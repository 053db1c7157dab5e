/**
 * Says in one table what other people's tools look at, so that a picture can be made as they make it: which layer, normed or not, in which order of columns, with which
 * stride, registers left out or not. Whoever says `like` sets all of it at once.
 */
import type { RecipeChoice } from './choose-recipe.js'
import type { AttentionFrom, AttentionHeads, FacetChoice } from './inspected.js'
import type { EncoderDescription, FeatureChoice } from './types.js'

/** Names a tool whose details can be followed. */
export type MethodName = 'birder' | 'dinov3' | 'dino-vit-features'

/** Holds every detail of how a tool looks into a network. */
export interface Method {
  /** Says whose way it is. */
  readonly about: string
  /** Says which patches it compares and colours. */
  readonly patches: FacetChoice
  /** Says how many pixels lie from one patch to the next; null for a patch's side. */
  readonly stride: number | null
  /** Says which attention it shows. */
  readonly attention: {
    /** Says of which blocks. */
    readonly layers: 'all' | 'last'
    /** Says which heads, and whether they are joined. */
    readonly heads: AttentionHeads
    /** Says whose. */
    readonly from: AttentionFrom
  }
  /** Tells whether class token and registers take part in what is fitted to the patches: in no tool here. */
  readonly specialTokens: false
  /** Says how an image comes to its size: `squash` to the network's own whatever its aspect ratio, or by its shorter side, in pixels. */
  readonly size:
    | 'squash'
    | {
        /** Is the length of its shortest edge. */
        readonly shortest: number
      }
  /** Names the way to colour patches that goes with it. */
  readonly colors: 'birder' | 'dinov3' | 'plumage'
}

/** Lists the tools that can be followed. */
export const METHODS: Readonly<Record<MethodName, Method>> = {
  birder: {
    about: "Birder's introspection (FeaturePCA, AttentionRollout) and feature matching",
    // Its detection_features are the last block's output, which no norm follows.
    patches: { layer: -1, of: 'token', normed: false },
    stride: null,
    attention: { layers: 'all', heads: 'max', from: 'all' },
    specialTokens: false,
    size: 'squash',
    colors: 'birder',
  },
  dinov3: {
    about: "DINOv3's notebook of coloured patches (get_intermediate_layers with norm)",
    patches: { layer: -1, of: 'token', normed: true },
    stride: null,
    attention: { layers: 'last', heads: 'each', from: 'class' },
    specialTokens: false,
    size: { shortest: 768 },
    colors: 'dinov3',
  },
  'dino-vit-features': {
    about: 'Amir et al. 2021, "Deep ViT features as dense visual descriptors" (ViTExtractor)',
    patches: { layer: -1, of: 'k', normed: false, columns: 'by-channel' },
    stride: 4,
    attention: { layers: 'last', heads: 'each', from: 'class' },
    specialTokens: false,
    size: { shortest: 224 },
    colors: 'plumage',
  },
}

/** Lists the names of the tools. */
export const METHOD_NAMES = Object.keys(METHODS) as readonly MethodName[]

/**
 * Gives what an encoder is to be asked for to have the patches, or the attention, that a tool has.
 *
 * @param show says which of the two
 * @param encoder says how many blocks there are
 */
export function encodeLike(
  name: MethodName,
  show: 'patches' | 'attention',
  encoder: Pick<EncoderDescription, 'depth' | 'patchSize'>,
): FeatureChoice {
  const { patches, stride, attention } = METHODS[name]
  const overlap = stride === null ? {} : { stride: Math.min(stride, encoder.patchSize) }
  if (show === 'patches') return { facets: [patches], ...overlap }
  const { layers, heads, from } = attention
  const numbers = layers === 'last' ? [-1] : Array.from({ length: encoder.depth }, (_, block) => block)
  return { attention: { layers: numbers, heads, from }, ...overlap }
}

/** Gives what an encoder is to be loaded with for images to come to the size that a tool has; nothing where they come to the network's own. */
export function sizeLike(name: MethodName): Pick<RecipeChoice, 'shortest'> {
  const { size } = METHODS[name]
  return size === 'squash' ? {} : size
}
