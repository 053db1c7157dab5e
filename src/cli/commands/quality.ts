/** `plumage quality` lists the photos of a collection that are blurred, dark, bright, empty, tiny or of an odd shape. */
import { Command, Option } from 'commander'
import { FLAW_RULES, FLAWS, type Flaw, findFlaws } from '../../collection/find-flaws.js'
import { addCollectionOption, collectionPlace } from '../collection-option.js'
import type { CommandContext } from '../context.js'
import { printable } from '../progress.js'

interface QualityOptions {
  readonly in: string
  readonly kind?: readonly Flaw[]
  readonly json?: boolean
}

export function qualityCommand(context: CommandContext): Command {
  const command = new Command('quality')
  addCollectionOption(command, '--in <collection>', 'the collection')
    .addOption(new Option('--kind <kinds...>', 'which of them (default: all)').choices(FLAWS))
    .option('--json', 'a JSON line for each photo')
  return command.action((options: QualityOptions) => quality(context, options))
}

async function quality(context: CommandContext, options: QualityOptions): Promise<void> {
  const { files, signal, collections, stdout, stderr } = context
  await using collection = await collections.open(collectionPlace(files, options.in), { signal })
  const flaws = options.kind ?? FLAWS
  const found = await findFlaws(collection, { flaws, signal })
  for (const photo of found) {
    const { flaw, value, root, path } = photo
    const line = `${flaw.padEnd(10)}  ${value.toFixed(2).padStart(8)}  ${root}/${path}`
    stdout.write(options.json ? `${JSON.stringify(photo)}\n` : `${printable(line)}\n`)
  }
  const counts = flaws.map((flaw) => {
    const { measure, side, limit } = FLAW_RULES[flaw]
    const count = found.filter((photo) => photo.flaw === flaw).length
    return `${count} ${flaw} (${measure} ${side} ${Number(limit.toFixed(2))})`
  })
  stderr.write(`${counts.join(', ')}\n`)
}
