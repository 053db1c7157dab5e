/** `plumage label-errors` lists the photos of a collection whose labels are likely wrong. */

import { Command, Option } from 'commander'
import { addCollectionOption, collectionPlace } from '../collection-option.js'
import type { CommandContext } from '../context.js'
import { counted } from '../counted.js'
import { positiveInteger } from '../model-options.js'
import { printable } from '../progress.js'

interface LabelErrorsOptions {
  readonly in: string
  readonly column: string
  readonly folds: number
  readonly by: 'margin' | 'confidence'
  readonly json?: boolean
}

export function labelErrorsCommand(context: CommandContext): Command {
  return addCollectionOption(new Command('label-errors'), '--in <collection>', 'the collection')
    .option('--column <name>', 'the column that labels are in', 'label')
    .option('--folds <n>', 'folds of the cross-validation', positiveInteger, 5)
    .addOption(
      new Option(
        '--by <what>',
        'what ranks them: the probability of the label less that of the likeliest other, or that of the label alone',
      )
        .choices(['margin', 'confidence'])
        .default('margin'),
    )
    .option('--json', 'a JSON line for each photo')
    .action((options: LabelErrorsOptions) => listErrors(context, options))
}

async function listErrors(
  { files, signal, collections, stdout, stderr }: CommandContext,
  { json, in: name, ...options }: LabelErrorsOptions,
): Promise<void> {
  await using collection = await collections.open(collectionPlace(files, name), { signal })
  const { findMislabelled } = await import('../../collection/labels/find-mislabelled.js')
  const { photos, labelled } = await findMislabelled(collection, { ...options, signal })
  for (const photo of photos) {
    const { quality, label, suggestion, name: path } = photo
    if (json) stdout.write(`${JSON.stringify(photo)}\n`)
    else
      stdout.write(
        `${quality.toFixed(3)}  ${printable(path)}  is called ${printable(label)}, looks like ${printable(suggestion)}\n`,
      )
  }
  if (!json) stderr.write(`${photos.length} of ${counted(labelled, 'label')} likely wrong\n`)
}
