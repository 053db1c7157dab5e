/** Trains a head on the labels of a collection, and says how good it is. */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import { headMetadata, type TrainedHead } from '../../encoder/trained-head.js'
import { safetensorsFile } from '../../formats/safetensors.js'
import { fitProbe } from '../../numerics/labelled/linear-probe.js'
import { concatenateBytes } from '../../tensor/concatenate.js'
import type { Collection } from '../collection.js'
import { type ClassReport, JUDGE_OPTIONS, type JudgeOptions, judgeClasses } from './judge-classes.js'
import { assertEnough, type LabelledPhotos, readLabelled } from './labelled-photos.js'

/** Says how a head is trained and judged. */
export interface TrainOptions extends Omit<JudgeOptions, 'products'> {
  /** Names the column that labels are in; default `label`. */
  readonly column?: string | undefined
}

const { products: _products, ...JUDGING } = JUDGE_OPTIONS
const TRAIN_OPTIONS = { ...JUDGING, column: true } satisfies OptionNames<TrainOptions>

/** Is a head with what is known of it. */
export interface TrainedReport extends ClassReport {
  /** Tells the classes apart: trained on all labelled photos, with the C that did best on photos held out. */
  readonly head: TrainedHead
  /** Holds the photos that it was trained on. */
  readonly labelled: LabelledPhotos
}

/**
 * Trains a linear probe on the labelled photos of a collection. Throws `CollectionError`: `unlabelled` without two classes, `too-few` for a class with fewer photos
 * than folds, `unknown-column`; RangeError for an option that there is not, or that makes no sense; the signal's reason.
 */
export async function trainHead(collection: Collection, options: TrainOptions = {}): Promise<TrainedReport> {
  checkOptionNames(options, TRAIN_OPTIONS)
  const { column, folds = 5, ...judging } = options
  const { products, about } = collection
  const { labelled } = await readLabelled(collection, { column, signal: options.signal })
  assertEnough(labelled, folds)
  const report = await judgeClasses(labelled, { ...judging, folds, products })
  const { c, temperature, measures } = report.probe
  const { weight, bias } = await fitProbe(labelled, { c, products, signal: options.signal })
  const head: TrainedHead = {
    classes: labelled.names,
    width: labelled.width,
    weight,
    bias,
    features: 'unit',
    temperature,
    identity: about.identity,
    model: about.model,
    trained: { photos: labelled.photos.length, c, folds, accuracy: measures.accuracy },
  }
  return { ...report, head, labelled }
}

/** Gives the bytes of the safetensors file of a head, which `readHead` reads and Python's safetensors too. */
export function headFile(head: TrainedHead): Uint8Array {
  const { weight, bias, classes, width } = head
  const arrays = [
    { name: 'weight', shape: [classes.length, width], values: weight },
    { name: 'bias', shape: [classes.length], values: bias },
  ]
  return concatenateBytes(safetensorsFile(arrays, headMetadata(head)))
}
