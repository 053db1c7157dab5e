/** Reads the entries that Birder writes into a file beside the tensors: its config, its signature, its colours' mean and deviation. */
import { type Checkpoint, isRecord, type PlainRecord, type PlainValue } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { IMAGENET_STATS, type RgbStats } from '../vit-config.js'

/** Gives the settings that the file has in place of its network's; there are often none. */
export function readOwnConfig({ metadata: { config }, label }: Checkpoint): PlainRecord {
  if (config === undefined || config === null || config === '') return {}
  if (isRecord(config)) return config
  throw new CheckpointError('malformed', `${label}: its entry config is no table of settings.`)
}

interface Signature {
  readonly size: readonly [height: number, width: number]
  readonly channels: number
  readonly classes: number
}

/** Birder writes one into every file; a bare state dict has none. */
export function readSignatureOrNull({ metadata, label }: Checkpoint): Signature | null {
  const { signature } = metadata
  if (signature === undefined) {
    if (metadata.birder_version === undefined) return null
    throw new CheckpointError(
      'malformed',
      `${label} is one of Birder's files and lacks the entry signature: no input size, no class count.`,
    )
  }
  const inputs = dataShape(signature, 'inputs', label)
  const [, classes] = dataShape(signature, 'outputs', label)
  const [, channels, height, width, ...others] = inputs
  const isBatch = isPositive(channels) && isPositive(height) && isPositive(width) && others.length === 0
  if (isBatch && classes !== undefined) return { channels, size: [height, width], classes }
  throw new CheckpointError('malformed', `${label}: its signature [${inputs}] is no batch of images.`)
}

function dataShape(signature: PlainValue, part: string, label: string): readonly number[] {
  const list = isRecord(signature) ? signature[part] : undefined
  const first = Array.isArray(list) ? list[0] : undefined
  const numbers = isRecord(first) ? first.data_shape : undefined
  if (Array.isArray(numbers) && numbers.every((n) => Number.isInteger(n) && n >= 0)) return numbers
  throw new CheckpointError(
    'malformed',
    `${label}: its signature gives no ${part}[0].data_shape of whole numbers.`,
  )
}

/** Files from before Birder kept them were trained with ImageNet's. */
export function readRgbStats({ metadata: { rgb_stats }, label }: Checkpoint): RgbStats {
  if (rgb_stats === undefined || rgb_stats === null) return IMAGENET_STATS
  const { mean, std } = isRecord(rgb_stats) ? rgb_stats : {}
  if (isNumbers(mean) && isNumbers(std) && mean.length === std.length && std.every((s) => s > 0))
    return { mean, std }
  throw new CheckpointError('malformed', `${label}: its rgb_stats are no mean and std of each channel.`)
}

const isPositive = (value: number | undefined): value is number => value !== undefined && value >= 1

const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.length > 0 && value.every((n) => typeof n === 'number' && Number.isFinite(n))
