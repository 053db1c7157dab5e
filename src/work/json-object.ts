import { isRecord, type PlainRecord, type PlainValue, parseJsonOrNull } from '../plain-value.js'
/** Reads JSON objects back from files. They lie where others may write, so what is in them is looked at before it is believed. */

/** Gives null where the text is no JSON, or another kind of value. */
export function jsonObjectOrNull(text: string): PlainRecord | null {
  const value = parseJsonOrNull(text)
  return isRecord(value) ? value : null
}

/** Tells whether a value is an object that has all of these texts and numbers. */
export function hasFields(value: PlainValue, texts: readonly string[], numbers: readonly string[]): boolean {
  return (
    isRecord(value) &&
    texts.every((key) => typeof value[key] === 'string') &&
    numbers.every((key) => typeof value[key] === 'number')
  )
}
