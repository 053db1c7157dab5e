/**
 * Reads what Birder writes beside the tensors, into the file or as a `config.json` beside it: settings, signature, mean and deviation of the levels,
 * and the network's name. Every field is judged (birder-fields.ts), and where both say something they must say the same.
 */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { isRecord, type PlainRecord, type PlainValue } from '../../plain-value.js'
import { type FieldContext, type FieldTable, judgeFields } from '../fields.js'
import type { RgbStats } from '../vit-config.js'
import {
  BIRDER_CONFIG,
  BIRDER_ENTRIES,
  BIRDER_FILE,
  BIRDER_RGB_STATS,
  BIRDER_SIGNATURE,
} from './birder-fields.js'
import type { VitHints } from './dialect.js'

export interface BirderEntries {
  /** Holds the settings that count before those of the registered network; there are often none. */
  readonly config: PlainRecord
  /** Is null in a bare state dict. */
  readonly signature: Signature | null
  readonly rgbStats: RgbStats | null
  /** Is the name that a `config.json` gives the network. */
  readonly network: string | null
  /** Is the class that a `config.json` gives a network that is not registered, all of whose settings are in `config`. */
  readonly class: string | null
}

interface Signature {
  readonly size: readonly [height: number, width: number]
  readonly channels: number
  readonly classes: number
}

/** Throws `unknown-field`, `unsupported-field`, `malformed`, `contradiction`. */
export function readBirderEntries(checkpoint: Checkpoint, hints: VitHints): BirderEntries {
  const { metadata } = checkpoint
  const context = { label: checkpoint.label, ignored: hints.ignoreFields }
  if (isBirderFile(metadata)) judgeFields(pick(metadata, BIRDER_ENTRIES), BIRDER_ENTRIES, context)
  const file = birderFileOrNull(hints.configFile, checkpoint.label)
  const fileContext = { ...context, label: `${checkpoint.label}'s config.json` }
  if (file !== null) judgeFields(file, BIRDER_FILE, fileContext)
  const own = { ...settings(file?.model_config, fileContext), ...settings(metadata.config, context) }
  return {
    config: own,
    signature: agreed(
      'signature',
      signatureOrNull(metadata, context),
      signatureOrNull(file ?? {}, fileContext),
      context,
    ),
    rgbStats: agreed(
      'rgb_stats',
      rgbStatsOrNull(metadata, context),
      rgbStatsOrNull(file ?? {}, fileContext),
      context,
    ),
    network: textOrNull(file?.registered_name, 'registered_name', fileContext),
    class: textOrNull(file?.name, 'name', fileContext),
  }
}

/** Tells a file of Birder's from a bare state dict, and from what others may keep beside Birder's tensors. */
export function isBirderFile(metadata: PlainRecord): boolean {
  return metadata.birder_version !== undefined || metadata.signature !== undefined
}

/** The other entries are judged with those of every file, since training may keep its own beside Birder's. */
function pick(values: PlainRecord, { fields }: FieldTable): PlainRecord {
  return Object.fromEntries(Object.entries(values).filter(([name]) => Object.hasOwn(fields, name)))
}

/** A `config.json` of another library has none of these fields. Throws `contradiction` for one, whose network these tensors are not of. */
function birderFileOrNull(file: PlainValue | undefined, label: string): PlainRecord | null {
  if (file === undefined) return null
  const names = ['birder_version', 'registered_name', 'model_config']
  if (isRecord(file) && names.some((name) => Object.hasOwn(file, name))) return file
  throw new CheckpointError(
    'contradiction',
    `${label} has Birder's tensors, and the config.json beside it is not Birder's. ` +
      'Keep weights of different networks in folders of their own, each with its config.json.',
  )
}

function settings(config: PlainValue | undefined, context: FieldContext): PlainRecord {
  if (config === undefined || config === null || config === '') return {}
  if (!isRecord(config)) {
    throw new CheckpointError('malformed', `${context.label}: its entry config is no table of settings.`)
  }
  judgeFields(config, BIRDER_CONFIG, context)
  return config
}

function textOrNull(value: PlainValue | undefined, name: string, { label }: FieldContext): string | null {
  if (value === undefined || value === null) return null
  if (typeof value === 'string') return value
  throw new CheckpointError('malformed', `${label}: ${name} is ${JSON.stringify(value)}; expected is a name.`)
}

function agreed<Value>(
  name: string,
  inside: Value | null,
  beside: Value | null,
  { label }: FieldContext,
): Value | null {
  if (inside === null || beside === null || JSON.stringify(inside) === JSON.stringify(beside))
    return inside ?? beside
  throw new CheckpointError(
    'contradiction',
    `${label} and the config.json beside it differ in ${name}: ${JSON.stringify(inside)} and ${JSON.stringify(beside)}. ` +
      'One of them belongs to another model.',
  )
}

/** Birder writes one into every file; a bare state dict has none. */
function signatureOrNull(values: PlainRecord, context: FieldContext): Signature | null {
  const { signature } = values
  const { label } = context
  if (signature === undefined) {
    if (values.birder_version === undefined) return null
    throw new CheckpointError(
      'malformed',
      `${label} is one of Birder's files and lacks the entry signature: no input size, no class count.`,
    )
  }
  const parts = isRecord(signature) ? signature : {}
  judgeFields(parts, BIRDER_SIGNATURE, context)
  const [, channels, height, width, ...others] = dataShape(parts, 'inputs', label)
  const classes = classCount(parts, label)
  const isBatch = isPositive(channels) && isPositive(height) && isPositive(width) && others.length === 0
  if (isBatch) return { channels, size: [height, width], classes }
  const shape = JSON.stringify(parts.inputs)
  throw new CheckpointError('malformed', `${label}: its signature's inputs ${shape} are no batch of images.`)
}

/** Takes num_labels before outputs, as Birder does. */
function classCount(signature: PlainRecord, label: string): number {
  const { num_labels: labels } = signature
  if (labels === undefined) {
    const [, classes, ...others] = dataShape(signature, 'outputs', label)
    if (classes !== undefined && others.length === 0) return classes
  } else if (typeof labels === 'number' && Number.isInteger(labels) && labels >= 0) {
    return labels
  }
  throw new CheckpointError(
    'malformed',
    `${label}: its signature gives no count of classes: outputs are ${JSON.stringify(signature.outputs)}.`,
  )
}

function dataShape(signature: PlainRecord, part: 'inputs' | 'outputs', label: string): readonly number[] {
  const list = signature[part]
  const [first, ...others] = Array.isArray(list) ? (list as readonly PlainValue[]) : []
  if (others.length > 0) {
    throw new CheckpointError(
      'unsupported-field',
      `${label}: its signature has ${others.length + 1} ${part}; networks with one are computed here.`,
    )
  }
  const { data_shape: numbers, ...rest } = isRecord(first) ? first : {}
  const [more] = Object.keys(rest)
  if (more !== undefined) {
    throw new CheckpointError(
      'unknown-field',
      `${label}: its signature's ${part}[0] has a field ${more}, which is not known here.`,
    )
  }
  if (Array.isArray(numbers) && numbers.every((n) => Number.isInteger(n) && n >= 0)) return numbers
  throw new CheckpointError(
    'malformed',
    `${label}: its signature gives no ${part}[0].data_shape of whole numbers.`,
  )
}

function rgbStatsOrNull({ rgb_stats: stats }: PlainRecord, context: FieldContext): RgbStats | null {
  if (stats === undefined || stats === null) return null
  const parts = isRecord(stats) ? stats : {}
  judgeFields(parts, BIRDER_RGB_STATS, context)
  const { mean, std } = parts
  if (isNumbers(mean) && isNumbers(std) && mean.length === std.length && std.every((s) => s > 0))
    return { mean, std }
  throw new CheckpointError(
    'malformed',
    `${context.label}: its rgb_stats are no mean and std of each channel.`,
  )
}

const isPositive = (value: number | undefined): value is number => value !== undefined && value >= 1

const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.length > 0 && value.every((n) => typeof n === 'number' && Number.isFinite(n))
