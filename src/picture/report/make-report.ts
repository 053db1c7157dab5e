/** Makes what a report shows of what a model found in some photos: colours, groups, codes of patches, and which photos are alike. */
import { cosineSimilarity } from '../../numerics/cosine-similarity.js'
import { type Foreground, fitForeground, foregroundMask } from '../foreground.js'
import { OKABE_ITO } from '../okabe-ito.js'
import { clusterPatches } from '../patch-clusters.js'
import { colorPatches, fitPatchColors, type PatchColors } from '../patch-colors.js'
import { type PatchMap, widthOf } from '../patch-map.js'
import { componentsFor } from './components-for.js'
import {
  indexPatches,
  NEAREST,
  nearestAgreement,
  type PatchScale,
  type ReportOptions,
} from './patch-index.js'
import { patchCount, spreadPatches } from './spread-patches.js'

/** Is what a model found in one photo. */
export interface FoundPhoto extends PatchMap {
  /**
   * Holds the patches of an inner block, which tell things and their parts from what is behind them: colours are made of these, and what is alike is looked for in
   * the last ones, which say most of what a thing is.
   */
  readonly things: PatchMap
  readonly embedding: Float32Array
}

export interface Neighbour {
  /** Counts the photos before it. */
  readonly photo: number
  /** Is the cosine similarity of the two embeddings, -1 to 1. */
  readonly similarity: number
}

/** Is what is shown of one photo. */
export interface ReportedPhoto {
  /** uint8 [rows * columns, 4], red, green, blue and 255, or 0 where it is background. Like patches of all photos have like colours. */
  readonly colors: Uint8Array
  /** uint8 [rows * columns]. Counts the groups before that of each patch. */
  readonly groups: Uint8Array
  /** int8 [rows * columns, K]. */
  readonly codes: Int8Array
  /** Lists the photos most like it, most alike first. */
  readonly neighbours: readonly Neighbour[]
}

export interface Report {
  readonly photos: readonly ReportedPhoto[]
  readonly scale: PatchScale
  /** Counts the patches of all photos. */
  readonly patches: number
  /** Counts for each group the photos that have some of it, most first. */
  readonly groupPhotos: readonly number[]
  /** Is the share of the variance of the first component that lies between things and background, 0 to 1. */
  readonly separability: number
  /** Tells whether background was told from things and has no colours. */
  readonly hasBackground: boolean
  /** Is the share of the ten nearest patches that codes and full features agree on, 0 to 1. */
  readonly agreement: number
}

const NEIGHBOURS = 5
/** Colours are fitted to so many patches, spread evenly over all photos. */
const MOST_FITTED = 16_384
/** Groups hardly change later. */
const GROUP_ROUNDS = 30

/**
 * Throws RangeError where there are too many patches in one photo; `PictureError` where there are no patches, or of different models; the signal's
 * reason.
 */
export async function makeReport(found: readonly FoundPhoto[], options: ReportOptions = {}): Promise<Report> {
  const components = componentsFor(Math.max(...found.map(patchCount)))
  const things = found.map((photo) => photo.things)
  const foreground = await fitForeground(things, options)
  const sample = [spreadPatches(things, MOST_FITTED)]
  const colors = await fitPatchColors(sample, { ...options, foreground })
  const groups = await clusterPatches(found, OKABE_ITO.length, { ...options, rounds: GROUP_ROUNDS })
  const index = await indexPatches(found, components, options)
  return {
    photos: found.map((photo, i) => ({
      colors: colorsOf(photo.things, colors, foreground),
      groups: Uint8Array.from(groups.labels[i] ?? []),
      codes: index.codes[i] ?? new Int8Array(),
      neighbours: neighboursOf(i, found),
    })),
    scale: { scales: index.scales, origin: index.origin, beside: index.beside },
    patches: found.reduce((sum, photo) => sum + patchCount(photo), 0),
    groupPhotos: groups.counts.map((own) => own.filter((count) => count > 0).length),
    separability: foreground.separability,
    hasBackground: foreground.cut !== null,
    agreement: await nearestAgreement(found, index, options),
  }
}

/** Says in words what agreement was measured, for the report and for whoever made it. */
export function describeAgreement({ agreement, scale }: Report, [photo]: readonly FoundPhoto[]): string {
  const width = photo === undefined ? 0 : widthOf(photo)
  return `of the ${NEAREST} patches nearest to one, ${Math.round(100 * agreement)} % are the same by the ${scale.scales.length} components kept as by all ${width} numbers`
}

function colorsOf(photo: PatchMap, colors: PatchColors, { cut }: Foreground): Uint8Array {
  const levels = colorPatches(photo, colors).data
  const things = cut === null ? null : foregroundMask(photo, cut)
  const out = new Uint8Array(4 * patchCount(photo))
  for (let patch = 0; 4 * patch < out.length; patch++) {
    out.set(levels.subarray(3 * patch, 3 * patch + 3), 4 * patch)
    out[4 * patch + 3] = things?.[patch] === 0 ? 0 : 255
  }
  return out
}

function neighboursOf(photo: number, found: readonly FoundPhoto[]): readonly Neighbour[] {
  const self = found[photo]
  if (self === undefined) return []
  return found
    .map((other, i) => ({ photo: i, similarity: cosineSimilarity(self.embedding, other.embedding) }))
    .filter(({ photo: i }) => i !== photo)
    .sort((a, b) => b.similarity - a.similarity)
    .slice(0, NEIGHBOURS)
}
