/** Names the layout of a file's weights, for notes about them: the same bytes are another network's in another layout, or under another of their names. */
import type { OpenCheckpoint } from '../checkpoint/checkpoint.js'
import type { VitModel } from '../model/read-vit.js'

export function layoutOf({ dialect }: VitModel, { choice }: Pick<OpenCheckpoint, 'choice'>): string {
  return choice === null ? dialect : `${dialect} ${choice.entry}`
}
