/** `plumage report` writes one page that shows what a model sees in photos: colours, which photos are alike, and what is like a place that is clicked. */
import { Command } from 'commander'
import { given } from '../../encoder/choose-recipe.js'
import { shortDigest } from '../../encoder/short-digest.js'
import { DEFAULT_MODEL } from '../../hub/default-model.js'
import { componentsFor } from '../../picture/report/components-for.js'
import type { FileEncoder } from '../../work/file-encoder.js'
import { asOutputError, OutputError } from '../../work/output-error.js'
import { IncompleteError, InterruptedError, UsageError } from '../cli-error.js'
import type { CommandContext } from '../context.js'
import { counted } from '../counted.js'
import { addInputs, gatherInputs, type InputOptions } from '../gather-inputs.js'
import { addImageOptions, type ModelOptions, positiveInteger } from '../model-options.js'
import { Progress } from '../progress.js'
import { isReport, REPORT_HEAD_BYTES, reportDocument } from '../report-document.js'
import { assertKept, type FoundPhotos, findPhotos } from '../report-photos.js'
import { fileOf, prepareOutput, terminal } from '../run-resumably.js'
import { choosePictureModel, DEFAULT_PATCHES, type PictureModel } from './picture/choose-picture-model.js'

interface ReportOptions extends Omit<ModelOptions, 'model'>, Omit<InputOptions, 'json' | 'films'> {
  readonly model?: string
  readonly output: string
  readonly patches?: number
  readonly batch?: number
  readonly restart?: boolean
}

export function reportCommand(context: CommandContext): Command {
  const command = addInputs(
    new Command('report').description('write one page that shows what a model sees in photos'),
    { takesFilms: false },
  ).requiredOption('-o, --output <file>', 'a file, or an object in a bucket (s3:, az:, gs:), ending in .html')
  command.option(
    '-m, --model <model>',
    `the name of published weights, a path or an address; default: the best for pictures among those on this machine, else ${DEFAULT_MODEL.name} (in the package)`,
  )
  addImageOptions(command)
    .option(
      '--patches <n>',
      'most patches of a photo, whose aspect is kept (default: 1024, unless --size or --recipe says otherwise)',
      positiveInteger,
    )
    .option('--batch <n>', 'images per run of the engine', positiveInteger)
    .option('--json', 'progress as JSON lines on stderr')
    .option('--restart', 'replace the output even where it is no report')
  return command.action((inputs: string[], options: ReportOptions) => report(context, inputs, options))
}

async function report(
  context: CommandContext,
  names: readonly string[],
  options: ReportOptions,
): Promise<void> {
  const { files, signal } = context
  const file = await outputFile(context, options)
  const inputs = await gatherInputs(context, names, { ...options, films: null })
  const { encoder, caption } = await choosePictureModel(context, options)
  await using _ = encoder
  assertFits(inputs.length, encoder, options)
  using progress = new Progress({ ...terminal(context), json: options.json ?? false, total: inputs.length })
  try {
    await using lock = await files.lock(file, { signal, onWait: (message) => progress.notice(message) })
    await assertReplaceable(context, file, options)
    const found = await findPhotos(context, inputs, encoder, options, progress)
    const { photos, failures } = found
    if (photos.length === 0)
      throw new IncompleteError(
        `No image of ${inputs.length} could be used: there is nothing to report, and no file is written.`,
      )
    progress.phase(`comparing ${photos.length} photos`)
    const { document, agreement, text } = await makeDocument(context, found, { encoder, caption }, options)
    await lock.assertHeld()
    await files.write(file, document)
    progress.finish(`${options.output} is written`, { output: options.output, agreement })
    context.stdout.write(`${options.output}: ${text}\n`)
    if (failures.length > 0)
      throw new IncompleteError(
        `${failures.length} of ${inputs.length} images failed; they are listed in ${options.output}.`,
      )
  } catch (error) {
    if (signal.aborted) throw new InterruptedError('Interrupted. No report was written.')
    throw asOutputError(error)
  }
}

async function outputFile(context: CommandContext, { output }: ReportOptions): Promise<string> {
  if (!/\.html?$/i.test(output))
    throw new UsageError(
      `A report is a page: name a file ending in .html, such as --output report.html; got ${output}.`,
    )
  return context.files.resolve(
    fileOf(await prepareOutput(context, output), output, 'a report is a whole file. Name one.'),
  )
}

/** A report may take the place of an older one, and of nothing else. */
async function assertReplaceable(
  { files }: CommandContext,
  file: string,
  { output, restart }: ReportOptions,
): Promise<void> {
  if (restart || (await files.look(file)) === null) return
  await using there = await files.open(file)
  const head = new Uint8Array(REPORT_HEAD_BYTES)
  const length = await there.read(head, 0)
  if (length === 0 || isReport(new TextDecoder().decode(head.subarray(0, length)))) return
  throw new OutputError(
    'exists',
    `${output} is there already, and is no report of plumage. It is not written over: choose another output, or add --restart to replace it.`,
  )
}

/** What would fail for every photo, or for want of memory at the end, is told before the first where it is known. */
function assertFits(
  count: number,
  { size: [height, width], patchSize, width: channels }: FileEncoder,
  options: ReportOptions,
): void {
  const { size, recipe, shortest, longest, scale, patches = DEFAULT_PATCHES } = options
  if ([recipe, shortest, longest, scale].some((option) => option !== undefined)) return
  const each = size === undefined ? patches : (height * width) / patchSize ** 2
  try {
    componentsFor(each)
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error
  }
  assertKept(count, count * each * channels)
}

async function makeDocument(
  context: CommandContext,
  { photos, failures }: FoundPhotos,
  { encoder, caption }: PictureModel,
  { threads }: ReportOptions,
) {
  const [{ makeReport, describeAgreement }, { readBuiltPage }, { createProducts }] = await Promise.all([
    import('../../picture/report/make-report.js'),
    import('../../platform/node/built-page.js'),
    import('../../platform/node/create-products.js'),
  ])
  await using products = createProducts(given({ threads }))
  const report = await makeReport(photos, { products, signal: context.signal })
  const { identity } = encoder
  const text = `${counted(photos.length, 'photo')}, ${counted(report.patches, 'patch')}; ${describeAgreement(report, photos)}`
  const document = reportDocument({
    page: await readBuiltPage('report'),
    report,
    photos,
    failures,
    summary: `What a model sees in ${counted(photos.length, 'photo')}. ${caption}`,
    facts: [
      ['Model', `${identity.model}, ${shortDigest(identity.digest)}`],
      ['Computed by', `${identity.engine}, ${identity.precision}`],
      ['Input', identity.recipe],
      ['Patches', `${counted(report.patches, 'patch')}: ${describeAgreement(report, photos)}.`],
      [
        'Background',
        report.hasBackground
          ? `told from things by the first component, with a separability of ${report.separability.toFixed(2)}`
          : `not told from things: the first component separates them by ${report.separability.toFixed(2)}, and 0.60 would be enough`,
      ],
      ['Written by', `plumage ${context.version}`],
    ],
  })
  return { document, agreement: report.agreement, text }
}
