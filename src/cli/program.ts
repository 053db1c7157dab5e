/** Puts the command line together and says how help looks. Commands load what is heavy when they run. */
import { Command } from 'commander'
import { benchCommand } from './commands/bench.js'
import { cacheCommand } from './commands/cache.js'
import { classifyCommand } from './commands/classify.js'
import { collectionCommand } from './commands/collection.js'
import { convertCommand } from './commands/convert.js'
import { embedCommand } from './commands/embed.js'
import { explainCommand } from './commands/explain.js'
import { featuresCommand } from './commands/features.js'
import { infoCommand } from './commands/info.js'
import { modelsCommand } from './commands/models.js'
import { packCommand } from './commands/pack.js'
import { pictureCommand } from './commands/picture.js'
import { pullCommand } from './commands/pull.js'
import { reportCommand } from './commands/report.js'
import { verifyCommand } from './commands/verify.js'
import type { CommandContext } from './context.js'
import { lazyCommand, type MakeCommand } from './lazy-command.js'
import { assertParents } from './output-parents.js'

const COMMANDS: readonly MakeCommand[] = [
  embedCommand,
  featuresCommand,
  classifyCommand,
  pictureCommand,
  reportCommand,
  lazyCommand(
    'merge',
    'join what machines wrote with --shard, once it is proven that nothing is missing or double',
    async () => (await import('./commands/merge.js')).mergeCommand,
  ),
  lazyCommand(
    'index',
    'make a collection of the photos in folders, or bring it up to date',
    async () => (await import('./commands/index-photos.js')).indexCommand,
  ),
  lazyCommand(
    'search',
    'find the photos of a collection that are most like given ones',
    async () => (await import('./commands/search.js')).searchCommand,
  ),
  lazyCommand(
    'label',
    'give the photos of a collection labels, propose them, and train a head on them',
    async () => (await import('./commands/label.js')).labelCommand,
  ),
  lazyCommand(
    'label-errors',
    'list the photos of a collection whose labels are likely wrong',
    async () => (await import('./commands/label-errors.js')).labelErrorsCommand,
  ),
  lazyCommand(
    'compare',
    'say which of two models tells labelled photos apart better, and how sure that is',
    async () => (await import('./commands/compare.js')).compareCommand,
  ),
  lazyCommand(
    'clusters',
    'group the photos of a collection by what they show',
    async () => (await import('./commands/clusters.js')).clustersCommand,
  ),
  lazyCommand(
    'map',
    'make a map of a collection, on which alike photos lie near each other',
    async () => (await import('./commands/map.js')).mapCommand,
  ),
  collectionCommand,
  lazyCommand(
    'duplicates',
    'find photos that are there several times, and say which copy to keep; nothing moves unless told',
    async () => (await import('./commands/duplicates.js')).duplicatesCommand,
  ),
  lazyCommand(
    'leakage',
    'find photos of one split (a test set) that are in another as well, as the same picture or nearly',
    async () => (await import('./commands/leakage.js')).leakageCommand,
  ),
  lazyCommand(
    'outliers',
    'list the photos of a collection that are least like others',
    async () => (await import('./commands/outliers.js')).outliersCommand,
  ),
  lazyCommand(
    'quality',
    'list the photos of a collection that are blurred, dark, bright, empty, tiny or of an odd shape',
    async () => (await import('./commands/quality.js')).qualityCommand,
  ),
  lazyCommand(
    'job',
    'plan the embedding of very many images for any number of machines, and look after it',
    async () => (await import('./commands/job.js')).jobCommand,
  ),
  lazyCommand(
    'worker',
    'work on a job until it is done, on this machine',
    async () => (await import('./commands/worker.js')).workerCommand,
  ),
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
  program.hook('preAction', (_, command) => assertParents(context, command))
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
  plumage merge part-*.parquet -o all.parquet    what many machines wrote with --shard 0/16, 1/16, …
  plumage features photos -o maps --format npy   one patch map per image
  plumage classify cat.jpg -m google/vit-base-patch16-224   what it sees, by name
  plumage picture pca photos -o pca.png          what is alike has one colour, in all photos
  plumage report photos -o report.html           one page: colours, and what is like a place that is clicked
  plumage index photos                           a collection to search: only what is new or changed is read
  plumage search cat.jpg                         the photos in it that are most like this one
  plumage label --from folders                   labels, from which heads are trained (--train) and errors found
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
