/**
 * Reads the `__metadata__` of a safetensors file, which are strings by name. Birder keeps its configuration there as JSON in strings;
 * that is unfolded here, so that both of Birder's formats say the same in the same form.
 */
import { isRecord, type PlainRecord, type PlainValue } from '../../plain-value.js'
import { CheckpointError } from '../checkpoint-error.js'
import { parseJson } from '../parse-json.js'

/** Birder writes these entries as JSON, so anything else there is a damaged file. An empty string stands for none. */
const JSON_ENTRIES = new Set(['class_to_idx', 'signature', 'rgb_stats', 'config', 'backbone_config'])

export function readMetadata(entry: PlainValue, label: string): PlainRecord {
  if (!isRecord(entry)) {
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

/** Keeps the text where it is no JSON: free text may begin with a bracket. */
function parsedOrAsIs(text: string): PlainValue {
  if (!/^\s*[{[]/.test(text)) return text
  try {
    return parseJson(text, 'a metadata entry')
  } catch {
    return text
  }
}
