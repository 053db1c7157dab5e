/** Lists the kinds of pictures, each of which is a command with a file of its own. */
import type { Command } from 'commander'
import type { CommandContext } from '../../context.js'
import { attentionCommand } from './attention.js'
import { clustersCommand } from './clusters.js'
import { compareCommand } from './compare.js'
import { matchCommand } from './match.js'
import { normsCommand } from './norms.js'
import { objectsCommand } from './objects.js'
import { pcaCommand } from './pca.js'
import { rolloutCommand } from './rollout.js'
import { similarCommand } from './similar.js'

const KINDS = [
  pcaCommand,
  similarCommand,
  attentionCommand,
  rolloutCommand,
  matchCommand,
  objectsCommand,
  clustersCommand,
  normsCommand,
  compareCommand,
]

export function pictureKinds(context: CommandContext): readonly Command[] {
  return KINDS.map((make) => make(context))
}
