/** `plumage collection export` writes rows of a collection into a file that other programs read. */

import { Command, Option } from 'commander'
import type { ExportChoice } from '../../../collection/export-rows.js'
import { exportCollection } from '../../../platform/node/collection/export-collection.js'
import { UsageError } from '../../cli-error.js'
import { addCollectionOption, collectionPlace } from '../../collection-option.js'
import type { CommandContext } from '../../context.js'
import { counted } from '../../counted.js'

interface ExportOptions {
  readonly in: string
  readonly columns?: readonly string[]
  readonly embedding: NonNullable<ExportChoice['embedding']>
  readonly embeddedOnly?: boolean
}

export function exportCommand(context: CommandContext): Command {
  const command = new Command('export')
    .description('write rows into a file: .parquet, .arrow, .jsonl, .csv, or .npy with names beside it')
    .argument('<file>', 'the file, or an object in a bucket (s3:, az:, gs:); its ending says the format')
  return addCollectionOption(command, '--in <collection>', 'the collection')
    .option('--columns <list>', 'the columns, as path,label; default: all', (text: string) => text.split(','))
    .addOption(
      new Option('--embedding <length>', 'as the model gave them, of length 1, or left out')
        .choices(['as-embedded', 'unit', 'none'])
        .default('as-embedded'),
    )
    .option('--embedded-only', 'leave out photos that have no embedding')
    .action((file: string, options: ExportOptions) => exportRows(context, file, options))
}

async function exportRows(
  { files, collections, signal, stdout }: CommandContext,
  file: string,
  { in: folder, columns, embedding, embeddedOnly = false }: ExportOptions,
): Promise<void> {
  await using collection = await collections.open(collectionPlace(files, folder), { signal })
  const chosen = columns === undefined ? {} : { columns }
  try {
    const choice = { ...chosen, embedding, embeddedOnly, signal }
    const written = await exportCollection(collection, files.resolve(file), choice)
    stdout.write(`${counted(written.rows, 'row')} in ${written.files.join(' and ')}\n`)
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error
  }
}
