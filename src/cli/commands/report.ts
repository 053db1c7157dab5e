/** `plumage report` writes one page that shows what a model sees in photos: colours, which photos are alike, and what is like a place that is clicked. */
import { Command } from 'commander'
import { given } from '../../encoder/choose-recipe.js'
import { shortDigest } from '../../encoder/short-digest.js'
import type { Features } from '../../encoder/types.js'
import { componentsFor } from '../../picture/report/components-for.js'
import type { FoundPhoto } from '../../picture/report/make-report.js'
import { thingsBlock } from '../../picture/report/things-block.js'
import type { ReducedPhoto } from '../../platform/node/reduce-photo.js'
import { InputLoop } from '../../work/encode-inputs.js'
import type { FileEncoder } from '../../work/file-encoder.js'
import type { Failure } from '../../work/files.js'
import type { InputFile } from '../../work/look-at.js'
import { asOutputError, OutputError } from '../../work/output-error.js'
import type { GivenImage, ImageAddress, WorkInput } from '../../work/work-input.js'
import { IncompleteError, InterruptedError, UsageError } from '../cli-error.js'
import type { CommandContext } from '../context.js'
import { addInputs, gatherInputs, type InputOptions } from '../gather-inputs.js'
import { loadChosenEncoder } from '../load-chosen-encoder.js'
import {
  addImageOptions,
  addModelOption,
  loadOptions,
  type ModelOptions,
  positiveInteger,
} from '../model-options.js'
import { Progress } from '../progress.js'
import {
  counted,
  type DocumentPhoto,
  isReport,
  REPORT_HEAD_BYTES,
  reportDocument,
} from '../report-document.js'
import { fileOf, listenerOf, prepareOutput, terminal } from '../run-resumably.js'

interface ReportOptions extends ModelOptions, Omit<InputOptions, 'json'> {
  readonly output: string
  readonly batch?: number
  readonly restart?: boolean
}

export function reportCommand(context: CommandContext): Command {
  const command = addInputs(
    new Command('report').description('write one page that shows what a model sees in photos'),
  ).requiredOption('-o, --output <file>', 'a file ending in .html')
  addImageOptions(addModelOption(command))
    .option('--batch <n>', 'images per run of the engine', positiveInteger)
    .option('--json', 'progress as JSON lines on stderr')
    .option('--restart', 'replace the output even where it is no report')
  return command.action((inputs: string[], options: ReportOptions) => report(context, inputs, options))
}

/**
 * The longer side of a photo on the page, in pixels, and the bytes that it may take. With what is kept of its patches, in base64 both, that is less than 250 kB,
 * and a report of a hundred photos less than 25 MB.
 */
const PICTURE = { side: 640, mostBytes: 85_000 }
/** All patches are kept until the last photo is done, since colours are fitted to all of them. */
const MOST_BYTES = 2 ** 32

async function report(
  context: CommandContext,
  names: readonly string[],
  options: ReportOptions,
): Promise<void> {
  const { files, signal } = context
  const file = await outputFile(context, options)
  const inputs = await gatherInputs(context, names, options)
  using encoder = await loadChosenEncoder(context, options)
  assertFits(inputs.length, encoder)
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
    const { document, agreement, text } = await makeDocument(context, found, encoder, options)
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

/** What would fail for every photo, or for want of memory at the end, is told before the first. */
function assertFits(count: number, { size: [height, width], patchSize, width: channels }: FileEncoder): void {
  const patches = (height / patchSize) * (width / patchSize)
  const smaller = 'Name fewer photos, or give a smaller --size.'
  try {
    componentsFor(patches)
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error
  }
  // Those of the last block, and of the one that colours are made of.
  const bytes = 2 * count * patches * channels * Float32Array.BYTES_PER_ELEMENT
  if (bytes > MOST_BYTES)
    throw new UsageError(
      `The patches of ${count} photos take ${(bytes / 2 ** 30).toFixed(1)} GiB, and a report keeps at most ${MOST_BYTES / 2 ** 30} GiB of them. ${smaller}`,
    )
}

interface FoundPhotos {
  readonly photos: readonly (FoundPhoto & DocumentPhoto)[]
  readonly failures: readonly Failure[]
}

/** Computes all photos, and makes a small picture of each while the next is computed. */
async function findPhotos(
  context: CommandContext,
  inputs: readonly WorkInput[],
  encoder: FileEncoder,
  options: ReportOptions,
  progress: Progress,
): Promise<FoundPhotos> {
  const { files, signal } = context
  const photos: (FoundPhoto & DocumentPhoto)[] = []
  const failures: Failure[] = []
  /** Holds what has no file until its picture is made. */
  const bytes = new Map<string, Uint8Array>()
  const loop = new InputLoop(
    {
      inputs: readAddresses(inputs, options, signal, bytes),
      files,
      encoder,
      encode: { layers: [thingsBlock(encoder.depth)], ...given({ batch: options.batch }) },
      listener: listenerOf(progress),
      signal,
    },
    { has: () => false, fail: async (failure) => void failures.push(failure) },
  )
  const keep = async (input: InputFile, features: Features) => {
    try {
      componentsFor(features.grid.rows * features.grid.columns)
      const picture = await context.reducePhoto(bytes.get(input.path) ?? files.resolve(input.path), {
        ...PICTURE,
        ...decodeOptions(options, signal),
      })
      photos.push(photoOf(input.path, features, picture))
      loop.done(input)
    } catch (error) {
      if (!signal.aborted)
        await loop.fail(input.path, error instanceof Error ? error : new Error(String(error)))
    } finally {
      bytes.delete(input.path)
    }
  }
  let keeping = Promise.resolve()
  for await (const { input, features } of loop.found()) {
    await keeping
    keeping = keep(input, features)
  }
  await keeping
  signal.throwIfAborted()
  loop.finish()
  return { photos, failures }
}

/** What an address gives is read once, for the model and for the picture: it may be something else the next time. */
async function* readAddresses(
  inputs: readonly WorkInput[],
  options: ReportOptions,
  signal: AbortSignal,
  bytes: Map<string, Uint8Array>,
): AsyncGenerator<WorkInput> {
  for (const input of inputs) {
    const given =
      typeof input !== 'string' && 'address' in input ? await fetched(input, options, signal) : input
    if (typeof given !== 'string' && 'bytes' in given) bytes.set(given.path, given.bytes)
    yield given
  }
}

async function fetched(
  { path, address }: ImageAddress,
  options: ReportOptions,
  signal: AbortSignal,
): Promise<GivenImage | Failure> {
  const { readAddress } = await import('../../platform/node/reduce-photo.js')
  try {
    return { path, bytes: await readAddress(address, decodeOptions(options, signal)) }
  } catch (error) {
    signal.throwIfAborted()
    return { path, reason: error instanceof Error ? error.message : String(error) }
  }
}

/** Transparent parts lie on white, whatever the model makes of them. */
function decodeOptions(options: ReportOptions, signal: AbortSignal) {
  const { orientation, maxPixels, maxFileBytes, fetchTimeoutMs, allowPrivateAddresses, offline } =
    loadOptions(options, signal)
  return {
    transparency: 'white' as const,
    signal,
    ...given({ orientation, maxPixels, maxFileBytes, fetchTimeoutMs, allowPrivateAddresses, offline }),
  }
}

function photoOf(path: string, features: Features, picture: ReducedPhoto): FoundPhoto & DocumentPhoto {
  const { patches, grid, embedding, imageSize } = features
  const [tokens] = features.layers.values()
  if (tokens === undefined)
    throw new Error('The encoder gave no patches of the inner block that it was asked for.')
  const [height, width] = imageSize
  const first = features.patchBox(0, 0)
  const last = features.patchBox(grid.rows - 1, grid.columns - 1)
  const seen = {
    left: first.left / width,
    top: first.top / height,
    width: (last.right - first.left) / width,
    height: (last.bottom - first.top) / height,
  }
  // Special tokens stand in front of patches.
  const things = { patches: tokens.subarray(tokens.length - patches.length), grid }
  return { path, picture, patches, things, grid, embedding, seen }
}

async function makeDocument(
  context: CommandContext,
  { photos, failures }: FoundPhotos,
  encoder: FileEncoder,
  { threads }: ReportOptions,
) {
  const [{ makeReport, describeAgreement }, { readReportPage }, { createProducts }] = await Promise.all([
    import('../../picture/report/make-report.js'),
    import('../../platform/node/report-page.js'),
    import('../../platform/node/create-products.js'),
  ])
  await using products = createProducts(given({ threads }))
  const report = await makeReport(photos, { products, signal: context.signal })
  const { identity, size } = encoder
  const text = `${counted(photos.length, 'photo')}, ${counted(report.patches, 'patch')}; ${describeAgreement(report, photos)}`
  const document = reportDocument({
    page: await readReportPage(),
    report,
    photos,
    failures,
    summary: `${counted(photos.length, 'photo')} as ${identity.model} sees them.`,
    facts: [
      ['Model', `${identity.model}, ${shortDigest(identity.digest)}`],
      ['Computed by', `${identity.engine}, ${identity.precision}`],
      ['Input', `${size[1]} × ${size[0]} pixels (${identity.recipe})`],
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
