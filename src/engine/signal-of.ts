/** Takes the one option that loading has, for all engines alike. */
import { checkOptionNames } from '../check-option-names.js'

/** Throws RangeError for an unknown option. */
export function signalOf(options: { readonly signal?: AbortSignal }): AbortSignal | undefined {
  checkOptionNames(options, { signal: true })
  return options.signal
}
