/** Takes from a file whose matrices are in bytes what it says of its network beside the tensors: it is judged as what a person tells is, since it is the file's word alone. */
import type { Int8Facts } from '../checkpoint/checkpoint.js'
import { CheckpointError } from '../checkpoint/checkpoint-error.js'
import type { VitHints } from '../model/dialects/dialect.js'
import { normalisationOrNull } from '../model/normalisation.js'
import { isRecord, type PlainRecord, type PlainValue } from '../plain-value.js'
import { CONFIG_FILES, type ConfigBytes, parseConfigFiles } from './parse-config-files.js'

/** Names what is told of a network as whoever loads it would, each with the values that it can have. */
const TOLD = {
  network: isText,
  architecture: isText,
  config: (value: PlainValue) => isRecord(value),
  heads: isCount,
  size: (value: PlainValue) => Array.isArray(value) && value.length === 2 && value.every(isCount),
  normalisation: (value: PlainValue) => typeof value !== 'string' && normalisationOrNull(value) !== null,
  ignoreFields: (value: PlainValue) => Array.isArray(value) && value.every(isText),
} as const satisfies Partial<Record<keyof VitHints, (value: PlainValue) => boolean>>

function isText(value: PlainValue): boolean {
  return typeof value === 'string'
}

function isCount(value: PlainValue): boolean {
  return Number.isSafeInteger(value) && Number(value) > 0
}

/** Keeps of what was told what such a file holds. */
export function tellable(hints: VitHints): PlainRecord {
  const kept = Object.keys(TOLD).flatMap((name) => {
    const value = hints[name as keyof typeof TOLD]
    return value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(kept) as PlainRecord
}

/** Gives the config files that the file holds, null for one that it has not, in the order of CONFIG_FILES. */
export function filesWithin({ files }: Int8Facts, label: string): readonly (ConfigBytes | null)[] {
  return CONFIG_FILES.map((name) => {
    const text = files.get(name)
    return text === undefined ? null : { label: `${name} in ${label}`, bytes: new TextEncoder().encode(text) }
  })
}

/** Throws `CheckpointError` `malformed` for what no file of ours says. */
export function hintsWithin(facts: Int8Facts, label: string): VitHints {
  for (const [name, value] of Object.entries(facts.told)) {
    if (Object.hasOwn(TOLD, name) && TOLD[name as keyof typeof TOLD](value)) continue
    throw new CheckpointError(
      'malformed',
      `${label} says of its network that ${name} is ${JSON.stringify(value).slice(0, 80)}, which is nothing that can be told of one. The file is damaged: convert its origin anew.`,
    )
  }
  return { ...parseConfigFiles(filesWithin(facts, label)), ...(facts.told as VitHints) }
}
