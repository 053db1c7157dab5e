/**
 * Runs a model on photos on each engine and in each precision, one after the other, and compares with the slow truth. What an engine refuses is a row with
 * its reason, and no end. Only one of them holds the model at a time.
 */
import { EngineError } from '../../engine/engine-error.js'
import { promisedCosine } from '../judge.js'
import { compareFeatures } from './compare-features.js'
import { type Candidate, type FoundTruth, findTruth } from './find-truth.js'
import { recommend } from './recommend.js'
import { type PhotoRun, type ReadyPhoto, runPhotos, type TriedModel } from './run-photos.js'
import type { MeasuredRow, ModelRow, VerifiedModel } from './verified-model.js'

export interface VerifyModelParts {
  readonly model: TriedModel
  /** Names the model. */
  readonly name: string
  readonly photos: readonly ReadyPhoto[]
  /** Is the reference engine. */
  readonly reference: Candidate
  /** Lists the fast engines, the fastest first, each in all precisions that there are. */
  readonly candidates: readonly Candidate[]
  /** Tells which of them are wanted as rows; a truth may be another one. */
  readonly isWanted: (candidate: Pick<Candidate, 'engine' | 'precision'>) => boolean
  readonly onTry: (engine: Candidate['engine'], precision: Candidate['precision']) => void
  readonly signal: AbortSignal | undefined
}

/** Throws what reading the model throws; RangeError without a photo; the signal's reason. */
export async function verifyModel(parts: VerifyModelParts): Promise<VerifiedModel> {
  const { model, name, photos, reference, candidates, isWanted, onTry, signal } = parts
  const plain = candidates.filter(({ precision }) => precision === 'float32')
  onTry(reference.engine, reference.precision)
  const found = await findTruth(model, photos, { reference, plain }, signal)
  const { truth } = found
  const rows: ModelRow[] = []
  for (const candidate of [reference, ...candidates]) {
    if (!isWanted(candidate)) continue
    if (candidate.engine === truth.engine && candidate.precision === truth.precision) {
      rows.push(rowOf(candidate, found.description, found.run, found))
    } else if (candidate !== reference) {
      onTry(candidate.engine, candidate.precision)
      rows.push(await measure(parts, candidate, found))
    }
  }
  const isSound = truth.check?.isKept ?? true
  const [{ height, width } = { height: 0, width: 0 }] = photos
  const recommended = isSound ? recommend(rows) : null
  return { model: name, size: [height, width], photos: photos.length, truth, rows, recommended }
}

async function measure(
  { model, photos, signal }: VerifyModelParts,
  candidate: Candidate,
  found: FoundTruth,
): Promise<ModelRow> {
  signal?.throwIfAborted()
  try {
    await using engine = await candidate.open()
    const run = await runPhotos(model, engine, photos, { isWhole: false, signal })
    return rowOf(candidate, engine.description, run, found)
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof EngineError)) throw error
    const { engine, precision } = candidate
    return { kind: 'refused', engine, precision, reason: error.message }
  }
}

function rowOf(
  { engine, precision }: Candidate,
  description: string,
  { features, seconds, memory }: PhotoRun,
  { truth, run }: FoundTruth,
): MeasuredRow {
  const promise = promisedCosine(precision)
  const nearness = compareFeatures(features, run.features)
  const isTruth = features === run.features
  const isNear = Math.min(nearness.embeddingCosine, nearness.tokensCosine) >= promise
  const isKept = isTruth ? (truth.check?.isKept ?? true) : isNear
  const photos = features.length
  const about = { engine, precision, description, isTruth, photos, seconds, memory, promise, isKept }
  return { kind: 'measured', ...about, ...nearness }
}
