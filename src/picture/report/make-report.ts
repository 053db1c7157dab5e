/** Makes what a report shows of what a model found in some photos: colours, codes of patches, and which photos are alike. */
import { cosineSimilarity } from '../../numerics/cosine-similarity.js'
import { colorPatches, fitPatchColors, type PatchMap } from '../patch-colors.js'
import { componentsFor } from './components-for.js'
import { indexPatches, NEAREST, nearestAgreement, type PatchScale } from './patch-index.js'
import { patchCount, spreadPatches } from './spread-patches.js'

/** Is what a model found in one photo. */
export interface FoundPhoto extends PatchMap {
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
  /** uint8 [rows * columns, 3]. Like patches of all photos have like colours. */
  readonly colors: Uint8Array
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
  /** Is the share of the ten nearest patches that codes and full features agree on, 0 to 1. */
  readonly agreement: number
}

const NEIGHBOURS = 5
/** Colours are fitted to so many patches, spread evenly over all photos. */
const MOST_FITTED = 8192

/** Throws RangeError where there are no photos, too many patches in one of them, or patches of different widths. */
export function makeReport(found: readonly FoundPhoto[]): Report {
  const sample = spreadPatches(found, MOST_FITTED)
  const colors = fitPatchColors([
    { patches: sample.patches, grid: { rows: 1, columns: sample.patches.length / sample.width } },
  ])
  const index = indexPatches(found, componentsFor(Math.max(...found.map(patchCount))))
  return {
    photos: found.map((photo, i) => ({
      colors: colorPatches(photo, colors).data,
      codes: index.codes[i] ?? new Int8Array(),
      neighbours: neighboursOf(i, found),
    })),
    scale: { scales: index.scales, origin: index.origin, beside: index.beside },
    patches: found.reduce((sum, photo) => sum + patchCount(photo), 0),
    agreement: nearestAgreement(found, index),
  }
}

/** Says in words what agreement was measured, for the report and for whoever made it. */
export function describeAgreement({ agreement, scale }: Report, width: number): string {
  return `of the ${NEAREST} patches nearest to one, ${Math.round(100 * agreement)} % are the same by the ${scale.scales.length} components kept as by all ${width} numbers`
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
