/**
 * Reads the names of classes where a model's files have them: transformers' `id2label`, timm's `label_names`, Birder's `class_to_idx`. Names that do not
 * fit the classifier are left aside with a warning, since every label might be of another class; features do not rest on them.
 */
import type { Checkpoint } from '../checkpoint/checkpoint.js'
import { isRecord, type PlainRecord, type PlainValue } from '../plain-value.js'
import type { VitHints } from './dialects/dialect.js'

/** Is what files say of the names of classes. */
export interface Labels {
  /** Is in the order of the scores; null where no file names the classes, or none so that they fit. */
  readonly names: readonly string[] | null
  /** Says in a sentence why names that are there are left aside. */
  readonly problem: string | null
}

export const NO_LABELS: Labels = { names: null, problem: null }

export function labelsOf({ metadata, label }: Checkpoint, { configFile }: VitHints, classes: number): Labels {
  const file = isRecord(configFile) ? configFile : {}
  const input = isRecord(file.pretrained_cfg) ? file.pretrained_cfg : {}
  const { id2label } = file
  const listed = [file.label_names, input.label_names].find((names) => Array.isArray(names))
  if (isRecord(id2label)) return byNumber(namesOf(id2label), classes, `${label}: id2label of its config.json`)
  if (listed !== undefined) return listOf(listed, classes, `${label}: label_names of its config.json`)
  if (!isRecord(metadata.class_to_idx) || Object.keys(metadata.class_to_idx).length === 0) return NO_LABELS
  return byNumber(numbersOf(metadata.class_to_idx), classes, `${label}: its class_to_idx`)
}

type Entry = readonly [number: PlainValue | undefined, name: PlainValue | undefined]

function namesOf(id2label: PlainRecord): readonly Entry[] {
  return Object.entries(id2label).map(([number, name]) => [Number(number), name])
}

function numbersOf(classToIndex: PlainRecord): readonly Entry[] {
  return Object.entries(classToIndex).map(([name, number]) => [number, name])
}

function byNumber(entries: readonly Entry[], classes: number, what: string): Labels {
  const labels: (string | undefined)[] = new Array(classes).fill(undefined)
  for (const [number, name] of entries) {
    const isPlace = typeof number === 'number' && Number.isInteger(number) && number >= 0 && number < classes
    if (!isPlace || typeof name !== 'string' || labels[number] !== undefined)
      return mismatch(what, entries.length, classes)
    labels[number] = name
  }
  const found = labels.filter((name) => name !== undefined)
  if (found.length !== classes) return mismatch(what, entries.length, classes)
  return { names: found, problem: null }
}

function listOf(names: PlainValue | undefined, classes: number, what: string): Labels {
  const found = Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
  if (Array.isArray(names) && found.length === names.length && found.length === classes)
    return { names: found, problem: null }
  return mismatch(what, Array.isArray(names) ? names.length : 0, classes)
}

function mismatch(what: string, found: number, classes: number): Labels {
  return {
    names: null,
    problem: `${what} names ${found} classes, and the classifier has ${classes}, each of which needs one name and one number: classes are told by their numbers alone.`,
  }
}
