/**
 * Reads a file that is not written yet, by its headers, with the reader that will read it: only where the same network arrives is anything written. So a
 * layout's reader is what decides whether a layout holds a network, and a mistake in a writer is found before it costs anything.
 */
import type { Checkpoint, TensorInfo } from '../checkpoint/checkpoint.js'
import { CheckpointError } from '../checkpoint/checkpoint-error.js'
import { byteLengthOf, type StoredTensor } from '../formats/stored-tensor.js'
import type { VitHints } from '../model/dialects/dialect.js'
import { readVit, type VitModel } from '../model/read-vit.js'
import type { VitConfig } from '../model/vit-config.js'
import type { PlainRecord } from '../plain-value.js'
import { ConvertError } from './convert-error.js'
import { choosesPooling, textOf } from './holdings.js'
import type { Wrapping } from './writer.js'

/** Is what will be written. */
export interface PlannedFile {
  /** Names it in messages; readers may take a network's name from it. */
  readonly label: string
  readonly format: Checkpoint['format']
  readonly tensors: readonly StoredTensor[]
  readonly entries: PlainRecord
  readonly wrapping: Wrapping | null
  /** Holds the config files beside it, and what whoever loads it must say. */
  readonly hints: VitHints
}

/** Throws `ConvertError` `not-held` where another network would arrive, and says in what it differs and, as `advice`, what to do. */
export function readBack(
  file: PlannedFile,
  config: VitConfig,
  library: string,
  advice = 'Choose another library (--to).',
): VitModel {
  const vit = readPlanned(file, library)
  const differences = differencesOf(config, vit.config)
  if (differences.length === 0) return vit
  throw new ConvertError(
    'not-held',
    `The layout of ${library} does not hold this network: it would be read back with another ${differences.join('; another ')}. ${advice}`,
  )
}

function readPlanned(
  { label, format, tensors, entries, wrapping, hints }: PlannedFile,
  library: string,
): VitModel {
  const infos = tensors.map((tensor): [string, TensorInfo] => {
    const { name, dtype, shape } = tensor
    return [name, { dtype, shape, byteLength: byteLengthOf(tensor) }]
  })
  const checkpoint: Checkpoint = {
    label,
    format,
    tensors: new Map(infos),
    metadata: entries,
    wrapping: wrapping === null ? '' : [wrapping.entry, wrapping.prefix].filter(Boolean).join('/'),
    dropped: [],
    choice: null,
    read: () => Promise.reject(new Error(`${label} is not written yet.`)),
  }
  try {
    return readVit(checkpoint, hints)
  } catch (cause) {
    if (!(cause instanceof CheckpointError)) throw cause
    throw new ConvertError(
      'not-held',
      `The layout of ${library} does not hold this network: what would be written could not be read. ${cause.message}`,
      { cause },
    )
  }
}

/** Lists what counts for a network's numbers and is otherwise. Rules of tables count at other sizes alone, and a choice of the pooling not at all: both are told apart. */
function differencesOf(config: VitConfig, written: VitConfig): readonly string[] {
  const [from, to] = [countingOf(config), countingOf(written)]
  return Object.keys({ ...from, ...to }).flatMap((key) => {
    const [one, other] = [textOf(from[key]), textOf(to[key])]
    return one === other ? [] : [`${key}: ${other} in place of ${one}`]
  })
}

function countingOf(config: VitConfig): Readonly<Record<string, unknown>> {
  const {
    network: _network,
    classFirst: _order,
    taps: _taps,
    positions,
    bias,
    pooling,
    embedding,
    ...counting
  } = config
  const { rows, columns, sines } = positions ?? {}
  return {
    ...counting,
    positions: positions === null ? null : { rows, columns, sines },
    bias: bias === null ? null : { ...bias, rule: null },
    ...(choosesPooling(config) ? {} : { pooling, embedding }),
  }
}
