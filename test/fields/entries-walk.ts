/** Walks the entries that trainers write into checkpoints, beside a network of Meta's, whose files have no entries of their own. */
import { CHECKPOINT_ENTRIES } from '../../src/model/checkpoint-entries.js'
import { readVit } from '../../src/model/read-vit.js'
import { TINY_NETWORKS, tinyCheckpoint } from '../support/tiny-networks.js'
import { resultOf, type Walk } from './walk.js'

export const ENTRIES_WALK: Walk = {
  table: CHECKPOINT_ENTRIES,
  base: {},
  // A reader of files gives plain values as metadata, and of all else the names.
  read: (metadata) =>
    resultOf(
      readVit(
        { ...tinyCheckpoint(TINY_NETWORKS.facebook, metadata), dropped: Object.keys(metadata) },
        { heads: 2 },
      ),
    ),
  others: Object.fromEntries(
    Object.entries(CHECKPOINT_ENTRIES.fields)
      .filter(([, { use }]) => use === 'counts')
      .map(([name]) => [name, { [name]: 'a list' }]),
  ),
}
