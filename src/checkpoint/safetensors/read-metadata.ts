/**
 * The `__metadata__` of a safetensors file: strings by name. Birder keeps its configuration there as JSON in strings; that
 * is unfolded here, so that both of Birder's formats say the same in the same form.
 */
import type { PlainValue } from '../checkpoint.js'
import { CheckpointError } from '../checkpoint-error.js'
import { isJsonObject, parseJson } from '../parse-json.js'

/** Entries that Birder writes as JSON: anything else there is a damaged file. An empty string stands for none. */
const JSON_ENTRIES = new Set(['class_to_idx', 'signature', 'rgb_stats', 'config', 'backbone_config'])

export function readMetadata(entry: PlainValue, label: string): { readonly [key: string]: PlainValue } {
  if (!isJsonObject(entry)) {
    throw new CheckpointError('malformed', `${label}: __metadata__ is not a JSON object`)
  }
  const metadata: { [key: string]: PlainValue } = Object.create(null)
  for (const [name, value] of Object.entries(entry)) {
    if (typeof value !== 'string') {
      throw new CheckpointError('malformed', `${label}: the metadata entry ${name} is not a string`)
    }
    if (JSON_ENTRIES.has(name)) {
      if (value !== '') metadata[name] = parseJson(value, `${label}: the metadata entry ${name}`)
    } else {
      metadata[name] = parsedOrAsIs(value)
    }
  }
  return metadata
}

/** Free text may begin with a bracket and need not be JSON. */
function parsedOrAsIs(text: string): PlainValue {
  if (!/^\s*[{[]/.test(text)) return text
  try {
    return parseJson(text, 'a metadata entry')
  } catch {
    return text
  }
}
