/** Names the options of a store's calls, which every store judges alike. */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import type { ByIndexOptions, PrepareOptions } from './store.js'

const PREPARE = { scorer: true, onIndex: true, signal: true } satisfies OptionNames<PrepareOptions>
const BY_INDEX = { where: true, signal: true } satisfies OptionNames<ByIndexOptions>

/** Throws RangeError for an option that there is not. */
export function prepareOptions(options: PrepareOptions): PrepareOptions {
  checkOptionNames(options, PREPARE)
  return options
}

/** Throws RangeError for an option that there is not. */
export function byIndexOptions(options: ByIndexOptions = {}): ByIndexOptions {
  checkOptionNames(options, BY_INDEX)
  return options
}
