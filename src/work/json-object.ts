/** Reads JSON back from files. They lie where others may write, so what is in them is looked at before it is believed. */

export type JsonObject = Readonly<Record<string, unknown>>

/** Gives null where the text is no JSON, or another kind of value. */
export function jsonObjectOrNull(text: string): JsonObject | null {
  const value = jsonOrNull(text)
  return isObject(value) ? value : null
}

/** Gives null where the text is no JSON. */
export function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Tells whether an object has all of these texts and numbers. */
export function hasFields(value: unknown, texts: readonly string[], numbers: readonly string[]): boolean {
  return (
    isObject(value) &&
    texts.every((key) => typeof value[key] === 'string') &&
    numbers.every((key) => typeof value[key] === 'number')
  )
}
