/** `plumage compare` says which of two models tells the photos of a labelled folder apart better, and how sure that is. */

import { Command } from 'commander'
import { given } from '../../encoder/choose-recipe.js'
import { namedPlace, shownName } from '../../platform/node/storage/named-place.js'
import { InputLoop } from '../../work/encode-inputs.js'
import type { WorkInput } from '../../work/work-input.js'
import { IncompleteError, UsageError } from '../cli-error.js'
import type { CommandContext } from '../context.js'
import { counted } from '../counted.js'
import { gatherInputs } from '../gather-inputs.js'
import { pairedLine, reportJson, reportLines } from '../label-report.js'
import { loadChosenEncoder } from '../load-chosen-encoder.js'
import { addComputeOptions, type ModelOptions, positiveInteger } from '../model-options.js'
import { Progress, printable } from '../progress.js'
import { listenerOf, terminal } from '../run-resumably.js'

interface CompareOptions extends Omit<ModelOptions, 'model' | 'exif'> {
  readonly folds: number
}

export function compareCommand(context: CommandContext): Command {
  const command = new Command('compare')
    .argument('<model>', 'the first model')
    .argument('<model>', 'the second model')
    .argument(
      '<folder>',
      'a folder (or s3://bucket/prefix, az://container/prefix, gs://bucket/prefix) with a folder of photos for each class',
    )
  return addComputeOptions(command)
    .option('--offline', 'never download')
    .option('--folds <n>', 'folds of the cross-validation', positiveInteger, 5)
    .option('--json', 'what is found as JSON, and progress as JSON lines on stderr')
    .action((first: string, second: string, folder: string, options: CompareOptions) =>
      compare(context, [first, second], folder, options),
    )
}

interface Labelled {
  readonly path: string
  readonly label: string
}

/** Holds the photos that a model could read, with their embeddings. */
interface Embedded {
  readonly width: number
  readonly rows: ReadonlyMap<string, Float32Array>
}

async function compare(
  context: CommandContext,
  models: readonly [string, string],
  folder: string,
  options: CompareOptions,
): Promise<void> {
  const { stdout, pictures, signal } = context
  const photos = await labelledIn(context, folder, options)
  const first = await embed(context, models[0], photos, options)
  const second = await embed(context, models[1], photos, options)
  // A photo that one of them cannot read would make the comparison uneven.
  const both = photos.filter(({ path }) => first.rows.has(path) && second.rows.has(path))
  const names = [...new Set(both.map(({ label }) => label))].sort()
  if (names.length < 2)
    throw new UsageError(
      `Telling classes apart takes two, and the photos in ${folder} are ${names.length === 0 ? 'in none' : `all of ${names[0]}`}: put those of each class into a folder of its name.`,
    )
  const labels = Int32Array.from(both, ({ label }) => names.indexOf(label))
  const { compareEmbeddings } = await import('../../collection/labels/compare-embeddings.js')
  await using products = await pictures.products()
  const rowsOf = ({ rows, width }: Embedded) => {
    const joined = new Float32Array(both.length * width)
    for (const [at, { path }] of both.entries()) joined.set(rows.get(path) ?? [], at * width)
    return { rows: joined, width }
  }
  const found = await compareEmbeddings({ labels, names }, rowsOf(first), rowsOf(second), {
    folds: options.folds,
    products,
    signal,
  })
  if (options.json) {
    const reports = [reportJson(found.first, names, 0), reportJson(found.second, names, 0)]
    stdout.write(`${JSON.stringify({ models, reports, votes: found.votes, probe: found.probe })}\n`)
  } else {
    for (const [at, report] of [found.first, found.second].entries())
      stdout.write(
        `${printable(models[at] ?? '')}\n${reportLines(report, names, 0)
          .map((line) => `  ${line}\n`)
          .join('')}`,
      )
    stdout.write(
      `${pairedLine('nearest neighbours', found.votes)}\n${pairedLine('linear probe', found.probe)}\n`,
    )
  }
  const left = photos.length - both.length
  if (left > 0)
    throw new IncompleteError(
      `${left} of ${photos.length} photos could not be read by both, and are left out.`,
    )
}

/** Takes the name of the folder that each photo lies in. */
async function labelledIn(
  context: CommandContext,
  folder: string,
  options: CompareOptions,
): Promise<readonly Labelled[]> {
  const { files, stderr } = context
  if (namedPlace(files.resolve(folder)).kind === 'web')
    throw new UsageError(
      `compare looks through a folder, and ${shownName(folder)} is on a web server, which does not tell what it has. Name a folder, s3://bucket/prefix, az://container/prefix or gs://bucket/prefix.`,
    )
  if ((await files.look(folder))?.kind !== 'folder')
    throw new UsageError(`${folder} is no folder: compare takes one with a folder of photos for each class.`)
  const base = (/^file:/i.test(folder) ? files.resolve(folder) : folder).replace(/\/+$/, '')
  const inputs = (await gatherInputs(context, [folder], given({ json: options.json }))).filter(isPath)
  const labelled = inputs.flatMap((path) => {
    const within = path
      .slice(base.length + 1)
      .split('/')
      .slice(0, -1)
      .at(-1)
    return within === undefined ? [] : [{ path, label: within }]
  })
  const without = inputs.length - labelled.length
  if (labelled.length === 0)
    throw new UsageError(
      `No photo in ${folder} lies in a folder of it, which would be its label: put those of each class into a folder of its name.`,
    )
  if (without > 0)
    stderr.write(`${counted(without, 'photo')} right in ${folder}, without a label: left out\n`)
  return labelled
}

function isPath(input: WorkInput): input is string {
  return typeof input === 'string'
}

async function embed(
  context: CommandContext,
  model: string,
  photos: readonly Labelled[],
  options: CompareOptions,
): Promise<Embedded> {
  const { files, signal } = context
  using progress = new Progress({ ...terminal(context), json: options.json ?? false, total: photos.length })
  await using encoder = await loadChosenEncoder(context, { exif: true, ...options, model })
  const loop = new InputLoop(
    { inputs: photos.map(({ path }) => path), files, encoder, listener: listenerOf(progress), signal },
    { has: () => false },
  )
  const rows = new Map<string, Float32Array>()
  for await (const { input, features } of loop.found()) {
    rows.set(input.path, features.embedding.slice())
    loop.done(input)
  }
  return { width: encoder.embeddingWidth, rows }
}
