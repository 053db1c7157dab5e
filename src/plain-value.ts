/** Plain values are those of JSON, wherever they come from: a checkpoint, a config file, a note, an answer. */

/** Is a value of JSON's kinds: checkpoints carry such beside their tensors (configs, class names). */
export type PlainValue = null | boolean | number | string | readonly PlainValue[] | PlainRecord

/** Is an object of plain values. */
export interface PlainRecord {
  readonly [key: string]: PlainValue
}

export function isRecord(value: PlainValue | undefined): value is PlainRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Gives null where the text is no JSON: for notes of this library's own, and answers of servers, where that says no more than nothing does. */
export function parseJsonOrNull(text: string): PlainValue {
  try {
    return JSON.parse(text) as PlainValue
  } catch {
    return null
  }
}
