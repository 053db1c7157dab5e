/**
 * Finds what the engines are compared with: what the reference engine gives of the photos where that takes no longer than a minute or two. Else it is the
 * float32 of a fast engine, once the reference engine has agreed with it on a piece of the first photo. Which of the two it is depends on the work alone,
 * so that it is the same on every machine.
 */
import { countFlop } from '../../engine/count-flop.js'
import type { Engine } from '../../engine/engine.js'
import { EngineError } from '../../engine/engine-error.js'
import { planVit } from '../../model/plan-vit.js'
import type { PatchGrid } from '../../model/positions.js'
import type { VitModel } from '../../model/read-vit.js'
import { promisedCosine } from '../judge.js'
import { compareFeatures } from './compare-features.js'
import { type PhotoRun, type ReadyPhoto, runPhotos, type TriedModel } from './run-photos.js'
import type { Truth } from './verified-model.js'

/** [flop] The reference engine does some hundred million in a second: so much it computes of all photos, */
const MOST_OF_ALL = 2e10
/** and so much of a piece of one. */
const MOST_OF_PIECE = 6e9

export interface FoundTruth {
  readonly truth: Truth
  readonly description: string
  readonly run: PhotoRun
}

/** Is an engine that has not been made yet. */
export interface Candidate {
  readonly engine: Engine['name']
  readonly precision: Engine['precision']
  /** Throws `EngineError` where it cannot run here. */
  readonly open: () => Promise<Engine>
}

/**
 * @param reference is the slow engine
 * @param plain are the fast engines in float32, the fastest first
 * @throws what a run of the reference engine throws; the signal's reason
 */
export async function findTruth(
  model: TriedModel,
  photos: readonly ReadyPhoto[],
  { reference, plain }: { readonly reference: Candidate; readonly plain: readonly Candidate[] },
  signal: AbortSignal | undefined,
): Promise<FoundTruth> {
  const [first] = photos
  if (first === undefined) throw new RangeError('There is no photo to verify a model on: give one at least.')
  const { vit } = model
  const run = { isWhole: true, signal }
  await using slow = await reference.open()
  const { name: engine, precision, description } = slow
  const all = photos.reduce((sum, photo) => sum + workOf(vit, gridOf(vit, photo)), 0)
  if (all > MOST_OF_ALL) {
    const piece = pieceOf(vit, first)
    for (const candidate of plain) {
      const found = await runOrNull(candidate, model, [piece, ...photos], run)
      if (found === null) continue
      const [ofPiece, ...features] = found.run.features
      if (ofPiece === undefined) continue
      const right = await runPhotos(model, slow, [piece], run)
      const { embeddingCosine, tokensCosine } = compareFeatures([ofPiece], right.features)
      const isKept = Math.min(embeddingCosine, tokensCosine) >= promisedCosine(candidate.precision)
      const check = { size: [piece.height, piece.width] as const, embeddingCosine, tokensCosine, isKept }
      const truth = { engine: candidate.engine, precision: candidate.precision, check }
      return { truth, description: found.description, run: { ...found.run, features } }
    }
  }
  const found = await runPhotos(model, slow, photos, run)
  return { truth: { engine, precision, check: null }, description, run: found }
}

/** Gives null where the engine does not run the network here. */
async function runOrNull(
  candidate: Candidate,
  model: TriedModel,
  photos: readonly ReadyPhoto[],
  options: Parameters<typeof runPhotos>[3],
): Promise<{ readonly description: string; readonly run: PhotoRun } | null> {
  try {
    await using engine = await candidate.open()
    return { description: engine.description, run: await runPhotos(model, engine, photos, options) }
  } catch (error) {
    if (error instanceof EngineError) return null
    throw error
  }
}

/** Cuts out of the middle of a photo what the reference engine may be asked for: a square of whole patches, or all of it where positions are of one grid alone. */
function pieceOf(vit: VitModel, photo: ReadyPhoto): ReadyPhoto {
  const { patchSize, positions } = vit.config
  if (positions?.rule === 'fixed') return photo
  const { rows, columns } = gridOf(vit, photo)
  let side = Math.min(rows, columns)
  while (side > 1 && workOf(vit, { rows: side, columns: side }) > MOST_OF_PIECE) side--
  return cutPhoto(photo, side * patchSize)
}

function gridOf({ config: { patchSize } }: VitModel, { height, width }: ReadyPhoto): PatchGrid {
  return { rows: height / patchSize, columns: width / patchSize }
}

function workOf({ config }: VitModel, grid: PatchGrid): number {
  const { plan, slots } = planVit(config, grid, null)
  return countFlop(plan, [slots.embedding, slots.tokens])
}

function cutPhoto({ pixels, height, width }: ReadyPhoto, side: number): ReadyPhoto {
  const channels = pixels.length / (height * width)
  const [top, left] = [Math.floor((height - side) / 2), Math.floor((width - side) / 2)]
  const cut = new Float32Array(channels * side * side)
  for (let row = 0; row < channels * side; row++) {
    const from = (Math.floor(row / side) * height + top + (row % side)) * width + left
    cut.set(pixels.subarray(from, from + side), row * side)
  }
  return { pixels: cut, height: side, width: side }
}
