/** Puts the command line together and says how help looks. Commands load what is heavy when they run. */
import { Command } from 'commander'
import { benchCommand } from './commands/bench.js'
import { cacheCommand } from './commands/cache.js'
import { classifyCommand } from './commands/classify.js'
import { clustersCommand } from './commands/clusters.js'
import { collectionCommand } from './commands/collection.js'
import { compareCommand } from './commands/compare.js'
import { convertCommand } from './commands/convert.js'
import { duplicatesCommand } from './commands/duplicates.js'
import { embedCommand } from './commands/embed.js'
import { explainCommand } from './commands/explain.js'
import { featuresCommand } from './commands/features.js'
import { indexCommand } from './commands/index-photos.js'
import { infoCommand } from './commands/info.js'
import { labelCommand } from './commands/label.js'
import { labelErrorsCommand } from './commands/label-errors.js'
import { leakageCommand } from './commands/leakage.js'
import { mapCommand } from './commands/map.js'
import { modelsCommand } from './commands/models.js'
import { outliersCommand } from './commands/outliers.js'
import { packCommand } from './commands/pack.js'
import { pictureCommand } from './commands/picture.js'
import { pullCommand } from './commands/pull.js'
import { qualityCommand } from './commands/quality.js'
import { reportCommand } from './commands/report.js'
import { searchCommand } from './commands/search.js'
import { verifyCommand } from './commands/verify.js'
import type { CommandContext } from './context.js'

const COMMANDS = [
  embedCommand,
  featuresCommand,
  classifyCommand,
  pictureCommand,
  reportCommand,
  indexCommand,
  searchCommand,
  labelCommand,
  labelErrorsCommand,
  compareCommand,
  clustersCommand,
  mapCommand,
  collectionCommand,
  duplicatesCommand,
  leakageCommand,
  outliersCommand,
  qualityCommand,
  infoCommand,
  explainCommand,
  modelsCommand,
  pullCommand,
  cacheCommand,
  packCommand,
  convertCommand,
  benchCommand,
  verifyCommand,
]

/** @param words of the command line, without the program's name */
export async function createProgram(context: CommandContext, words: readonly string[]): Promise<Command> {
  const program = new Command('plumage')
    .description('The features of vision transformers: photos in, embeddings and patch maps out.')
    .version(context.version)
    .addHelpText('after', EXAMPLES)
  for (const make of COMMANDS) program.addCommand(await make(context, words))
  const commands = program.commands.flatMap((command) => [command, ...command.commands])
  for (const command of [program, ...commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      // Errors are thrown, and printed in one place.
      outputError: () => {},
    })
  }
  return program
}

const EXAMPLES = `
Examples:
  plumage embed cat.jpg                          one line of JSON on stdout
  plumage embed photos -o photos.parquet         a folder; run it again to continue where it stopped
  plumage features photos -o maps --format npy   one patch map per image
  plumage classify cat.jpg -m google/vit-base-patch16-224   what it sees, by name
  plumage picture pca photos -o pca.png          what is alike has one colour, in all photos
  plumage report photos -o report.html           one page: colours, and what is like a place that is clicked
  plumage index photos                           a collection to search: only what is new or changed is read
  plumage search cat.jpg                         the photos in it that are most like this one
  plumage label photos.plumage --from folders    labels, from which heads are trained (--train) and errors found
  plumage compare small mine photos              which of two models tells labelled photos apart better
  plumage clusters                               its photos in groups, with names from folders
  plumage map -o map.html                        a page on which alike photos lie near each other
  plumage duplicates                             photos that are there several times, and which to keep
  plumage info small                             what a model is, and what it needs
  plumage explain cat.jpg --vector theirs.npy    which settings made somebody else's vector
  plumage models dinov2                          the names of models
  plumage pull facebook/dinov2-small             all files of a model, for Python as well
  plumage pack dinov2_vitl14 --precision int8    weights as this processor reads them, for a quick start
  plumage convert small mine --to timm           the same network as timm has it
  plumage bench --network vit_reg4_l14_nps_ls    how fast ViT-L/14 runs here
`
