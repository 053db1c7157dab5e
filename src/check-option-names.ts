/** Judges the names of options, for every call that takes some: what is mistyped would else do nothing, and nobody would know. */
import { nearestNames } from './nearest-names.js'

/**
 * Throws RangeError for an option that a call does not have, and names the nearest. The names stand beside each type of options, and the compiler
 * holds them to it: `satisfies OptionNames<LoadOptions>`.
 */
export function checkOptionNames(options: unknown, known: Readonly<Record<string, true>>): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new RangeError(
      `Options are an object, such as { ${Object.keys(known)[0]}: … }; found ${String(options)}.`,
    )
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name))
  if (unknown === undefined) return
  const names = Object.keys(known)
  throw new RangeError(
    `There is no option ${unknown}. Did you mean ${nearestNames(unknown, names, 1).join()}? There are ${names.join(', ')}.`,
  )
}

/** Holds each name of a type of options, and no other. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>
