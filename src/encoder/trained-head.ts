/**
 * A head is a linear classifier that was trained on the embeddings of one model: a small safetensors file with `weight` [K, D] and `bias` [K], whose
 * `__metadata__` says all that its numbers rest on. In Python the probabilities are `softmax((e / norm(e) @ weight.T + bias) / temperature)`.
 */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import type { ByteSource } from '../checkpoint/checkpoint.js'
import { CheckpointError } from '../checkpoint/checkpoint-error.js'
import { openCheckpoint } from '../checkpoint/open-checkpoint.js'
import { isRecord, type PlainRecord } from '../plain-value.js'
import { toFloat32 } from '../tensor/tensor.js'
import { sortedJson } from './identity.js'
import { differingIdentity } from './identity-differences.js'
import type { Identity } from './types.js'

/** Tells classes apart by the embeddings of one model. */
export interface TrainedHead {
  /** [K] Names the classes. */
  readonly classes: readonly string[]
  /** Counts the numbers of an embedding, D. */
  readonly width: number
  /** [K, D] */
  readonly weight: Float32Array
  /** [K] */
  readonly bias: Float32Array
  /** Says what is done to an embedding first: it is given length 1. */
  readonly features: 'unit'
  /** Divides the scores before the softmax, so that probabilities are as often right as they say. */
  readonly temperature: number
  /** Says what the embeddings rest on that it was trained on: it takes no others. */
  readonly identity: Pick<Identity, 'digest' | 'weights' | 'settings' | 'precision' | 'recipe' | 'model'>
  /** Says how the encoder was loaded that made them: the model as it was named, and the options of the command line. */
  readonly model: {
    /** Is the model as it was named. */
    readonly source: string
    /** Holds the options as the command line has them. */
    readonly options: PlainRecord
  }
  /** Tells a reader how it was trained: rows, C, accuracy by folds. It decides nothing. */
  readonly trained: PlainRecord
}

/** Says when to give up. */
export interface ReadHeadOptions {
  /** Ends the reading, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

const READ_HEAD_OPTIONS = { signal: true } satisfies OptionNames<ReadHeadOptions>

/** Is the version of what stands in the file. */
const FORMAT = 'plumage-head-1'

/** Gives the texts that stand beside the tensors of a head. */
export function headMetadata(head: TrainedHead): Readonly<Record<string, string>> {
  const { classes, features, temperature, identity, model, trained } = head
  const { digest, weights, settings, precision, recipe, model: name } = identity
  return {
    format: FORMAT,
    classes: JSON.stringify(classes),
    features,
    temperature: String(temperature),
    identity: digest,
    weights,
    settings,
    precision,
    recipe,
    model: name,
    source: model.source,
    options: JSON.stringify(model.options),
    trained: JSON.stringify(trained),
  }
}

/**
 * Reads a head that `plumage label --train` has written. It takes the source over, as `openCheckpoint` does. Throws `CheckpointError`: `malformed` for a
 * safetensors file that is no head, `missing-tensor`, `wrong-shape`; else as `openCheckpoint`; RangeError for an unknown option; the signal's reason.
 */
export async function readHead(source: ByteSource, options: ReadHeadOptions = {}): Promise<TrainedHead> {
  checkOptionNames(options, READ_HEAD_OPTIONS)
  await using checkpoint = await openCheckpoint(source, options)
  const { metadata, label } = checkpoint
  if (metadata.format !== FORMAT) throw noHead(label, `its metadata has no format ${FORMAT}`)
  const { classes, features, settings, options: kept, trained } = metadata
  if (!Array.isArray(classes) || !classes.every((name) => typeof name === 'string'))
    throw noHead(label, 'its classes are no list of names')
  if (features !== 'unit')
    throw noHead(label, `its features are ${JSON.stringify(features)}, where only "unit" is known`)
  const textOf = (name: string) => {
    const text = metadata[name]
    if (typeof text === 'string') return text
    throw noHead(label, `its metadata has no ${name}`)
  }
  const temperature = Number(textOf('temperature'))
  if (!(temperature > 0 && Number.isFinite(temperature)))
    throw noHead(label, `its temperature is ${textOf('temperature')}, which is no number above 0`)
  const [rows, width = 0] = checkpoint.tensors.get('weight')?.shape ?? []
  if (rows !== classes.length)
    throw noHead(label, `its weight has ${rows} rows for ${classes.length} classes`)
  const weight = toFloat32(await checkpoint.read('weight', [classes.length, width]))
  const bias = toFloat32(await checkpoint.read('bias', [classes.length]))
  if (![...weight, ...bias].every(Number.isFinite)) throw noHead(label, 'a number of it is not finite')
  return {
    classes: classes as readonly string[],
    width,
    weight,
    bias,
    features,
    temperature,
    identity: {
      digest: textOf('identity'),
      weights: textOf('weights'),
      settings: isRecord(settings) ? sortedJson(settings) : textOf('settings'),
      precision: textOf('precision') as Identity['precision'],
      recipe: textOf('recipe'),
      model: textOf('model'),
    },
    model: { source: textOf('source'), options: isRecord(kept) ? kept : {} },
    trained: isRecord(trained) ? trained : {},
  }
}

function noHead(label: string, why: string): CheckpointError {
  return new CheckpointError(
    'malformed',
    `${label} is no head of this library: ${why}. Give a file that plumage label --train has written.`,
  )
}

/** Throws `CheckpointError` `other-identity` where embeddings of this identity are not what the head was trained on, with what differs. */
export function assertHeadFits(
  head: TrainedHead,
  identity: Pick<Identity, 'digest' | 'weights' | 'settings'>,
): void {
  if (identity.digest === head.identity.digest) return
  const { found, expected } = differingIdentity(head.identity, identity)
  throw new CheckpointError(
    'other-identity',
    `The head was trained on embeddings with ${found}; those that are given have ${expected}. ` +
      `Load the model as it was then (${head.model.source}), or train another head.`,
  )
}

/**
 * Gives the scores of the classes for an embedding [D] as the model gives it, [K], divided by the head's temperature: their softmax are the probabilities. Sums
 * are float64. Throws RangeError for an embedding of another width, or without length.
 */
export function headScores(head: TrainedHead, embedding: Float32Array): Float32Array {
  const { weight, bias, width, temperature } = head
  if (embedding.length !== width)
    throw new RangeError(`The head takes embeddings of ${width} numbers; this one has ${embedding.length}.`)
  const length = Math.sqrt(embedding.reduce((sum, value) => sum + value * value, 0))
  if (!(length > 0 && Number.isFinite(length)))
    throw new RangeError(`An embedding of length ${length} has no direction to be told by.`)
  return bias.map((offset, label) => {
    let sum = 0
    for (const [i, value] of embedding.entries()) sum += value * (weight[label * width + i] ?? Number.NaN)
    return (sum / length + offset) / temperature
  })
}
