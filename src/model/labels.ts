/**
 * Reads the names of classes where a model's files have them: transformers' `id2label`, timm's `label_names`, Birder's `class_to_idx`. Names that do not
 * fit the classifier are refused, since every label would be of another class.
 */
import type { Checkpoint } from '../checkpoint/checkpoint.js'
import { CheckpointError } from '../checkpoint/checkpoint-error.js'
import { isRecord, type PlainRecord, type PlainValue } from '../plain-value.js'
import type { VitHints } from './dialects/dialect.js'

/** Gives the names in the order of the scores; null where no file names the classes. Throws `contradiction` where they are not as many, or have gaps. */
export function labelsOf(
  { metadata, label }: Checkpoint,
  { configFile }: VitHints,
  classes: number,
): readonly string[] | null {
  const file = isRecord(configFile) ? configFile : {}
  const input = isRecord(file.pretrained_cfg) ? file.pretrained_cfg : {}
  const { id2label } = file
  const listed = [file.label_names, input.label_names].find((names) => Array.isArray(names))
  if (isRecord(id2label)) return byNumber(namesOf(id2label), classes, `${label}: id2label of its config.json`)
  if (listed !== undefined) return listOf(listed, classes, `${label}: label_names of its config.json`)
  if (!isRecord(metadata.class_to_idx) || Object.keys(metadata.class_to_idx).length === 0) return null
  return byNumber(numbersOf(metadata.class_to_idx), classes, `${label}: its class_to_idx`)
}

type Entry = readonly [number: PlainValue | undefined, name: PlainValue | undefined]

function namesOf(id2label: PlainRecord): readonly Entry[] {
  return Object.entries(id2label).map(([number, name]) => [Number(number), name])
}

function numbersOf(classToIndex: PlainRecord): readonly Entry[] {
  return Object.entries(classToIndex).map(([name, number]) => [number, name])
}

function byNumber(entries: readonly Entry[], classes: number, what: string): readonly string[] {
  const labels: (string | undefined)[] = new Array(classes).fill(undefined)
  for (const [number, name] of entries) {
    const isPlace = typeof number === 'number' && Number.isInteger(number) && number >= 0 && number < classes
    if (!isPlace || typeof name !== 'string' || labels[number] !== undefined)
      throw mismatch(what, entries.length, classes)
    labels[number] = name
  }
  const found = labels.filter((name) => name !== undefined)
  if (found.length !== classes) throw mismatch(what, entries.length, classes)
  return found
}

function listOf(names: PlainValue | undefined, classes: number, what: string): readonly string[] {
  const found = Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
  if (Array.isArray(names) && found.length === names.length && found.length === classes) return found
  throw mismatch(what, Array.isArray(names) ? names.length : 0, classes)
}

function mismatch(what: string, found: number, classes: number): CheckpointError {
  return new CheckpointError(
    'contradiction',
    `${what} names ${found} classes, and the classifier has ${classes}, each of which needs one name and one number. The file belongs to another network than the weights.`,
  )
}
