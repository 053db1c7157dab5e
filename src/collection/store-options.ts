/** Names the options of a store's calls, which every store judges alike. */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import type { ByIndexOptions, CompactOptions, PrepareOptions, ScanChoice } from './store.js'

const SCAN = {
  columns: true,
  embeddings: true,
  ids: true,
  where: true,
  signal: true,
} satisfies OptionNames<ScanChoice>
const COMPACT = { rewrite: true, signal: true } satisfies OptionNames<CompactOptions>
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

/** Throws RangeError for an option that there is not. */
export function scanChoice<Choice extends Partial<ScanChoice>>(choice: Choice): Choice {
  checkOptionNames(choice, SCAN)
  return choice
}

/** Throws RangeError for an option that there is not. */
export function compactOptions(options: CompactOptions = {}): CompactOptions {
  checkOptionNames(options, COMPACT)
  return options
}
