/** Names the options of each call of a place, which every place refuses others by. */
import type { OptionNames } from '../check-option-names.js'
import type { ListOptions, LookOptions, ReadOptions, WriteOptions } from './storage.js'

/** Are those of `look` and `remove`. */
export const LOOK_OPTIONS = { signal: true } satisfies OptionNames<LookOptions>

export const READ_OPTIONS = {
  offset: true,
  length: true,
  version: true,
  signal: true,
} satisfies OptionNames<ReadOptions>

export const WRITE_OPTIONS = {
  ifAbsent: true,
  ifVersion: true,
  signal: true,
} satisfies OptionNames<WriteOptions>

export const LIST_OPTIONS = { prefix: true, after: true, signal: true } satisfies OptionNames<ListOptions>
