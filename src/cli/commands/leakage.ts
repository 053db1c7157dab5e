/** `plumage leakage` finds photos of one split that are in another as well. */

import { Command } from 'commander'
import type { FoundLeakage, Leak } from '../../collection/duplicates/find-leakage.js'
import { UsageError } from '../cli-error.js'
import { addCollectionOption, collectionPlace } from '../collection-option.js'
import { addCompareOptions, type CompareChoice, compareChoice } from '../compare-options.js'
import type { CommandContext } from '../context.js'
import { counted } from '../counted.js'
import { Progress, printable } from '../progress.js'
import { terminal } from '../run-resumably.js'

interface LeakageCommandOptions extends CompareChoice {
  readonly in: string
  readonly split?: string
  readonly with?: string
  readonly json?: boolean
}

export function leakageCommand(context: CommandContext): Command {
  const command = new Command('leakage')
  addCompareOptions(addCollectionOption(command, '--in <collection>', 'the collection'))
    .option('--split <column>', 'the column that tells the splits apart')
    .option(
      '--with <collection>',
      'another collection of the same model, of which nothing may be in this one',
    )
    .option('--json', 'a JSON line for each photo')
  return command.action((options: LeakageCommandOptions) => leakage(context, options))
}

async function leakage(context: CommandContext, options: LeakageCommandOptions): Promise<void> {
  const { files, signal, collections, stdout } = context
  const { split, with: name } = options
  if ((split === undefined) === (name === undefined))
    throw new UsageError('Say between what nothing may leak: --split <column>, or --with <collection>.')
  await using collection = await collections.open(collectionPlace(files, options.in), { signal })
  await using other =
    name === undefined ? null : await collections.open(collectionPlace(files, name), { signal })
  const { findLeakage } = await import('../../platform/node/collection/find-duplicates.js')
  using progress = new Progress({ ...terminal(context), json: false, total: undefined })
  const found = await findLeakage(collection, {
    ...compareChoice(options),
    ...(split === undefined ? {} : { split }),
    ...(other === null ? {} : { other }),
    signal,
    onProgress: ({ tried, total }) => progress.phase(`compared ${tried} of ${total} pairs`),
  })
  progress.clear()
  for (const leak of found.leaks) stdout.write(options.json ? `${JSON.stringify(leak)}\n` : lineOf(leak))
  context.stderr.write(summaryOf(found))
}

function lineOf({ copy, split, other, otherSplit, kind, similarity, words }: Leak): string {
  const told = words === '' ? kind : words
  return `${printable(`${split}: ${copy.root}/${copy.path}  ${otherSplit}: ${other.root}/${other.path}  ${similarity.toFixed(4)}  ${told}`)}\n`
}

function summaryOf({ leaks, splits, untried, unread }: FoundLeakage): string {
  const lines = Object.entries(splits).map(([split, count]) => {
    const own = leaks.filter((leak) => leak.split === split)
    const sure = own.filter(({ kind }) => kind !== 'near' && kind !== 'alike').length
    return printable(
      `${split}: ${sure} of ${count} photos are in another split, ${own.length - sure} are near or alike`,
    )
  })
  if (untried > 0) lines.push(`Not tried: ${counted(untried, 'less alike pair')}. --tries tries more.`)
  for (const { copy, reason } of unread) lines.push(printable(`${copy.path} was not compared: ${reason}`))
  return `${lines.join('\n')}\n`
}
