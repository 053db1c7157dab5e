/** `plumage picture` shows what a model finds in photos; each kind of picture has a file in `picture/`. */
import { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { attentionCommand } from './picture/attention.js'
import { clustersCommand } from './picture/clusters.js'
import { compareCommand } from './picture/compare.js'
import { matchCommand } from './picture/match.js'
import { normsCommand } from './picture/norms.js'
import { objectsCommand } from './picture/objects.js'
import { pcaCommand } from './picture/pca.js'
import { rolloutCommand } from './picture/rollout.js'
import { similarCommand } from './picture/similar.js'

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

export function pictureCommand(context: CommandContext): Command {
  const command = new Command('picture').description('show what a model finds in photos')
  for (const make of KINDS) command.addCommand(make(context))
  return command
}
