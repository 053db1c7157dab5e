/** Writes a model in another library's layout, in another type or format, so that it is read back as the same network before it gets its name. */
import { rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import { assertCopyRounded, assertInt8, assertRounded, comparable } from '../../../convert/compare-weights.js'
import { ConvertError } from '../../../convert/convert-error.js'
import { DTYPE_NAMES, DTYPES, type DtypeName } from '../../../convert/dtypes.js'
import { FILE_FORMS, type FileKind, WEIGHTS_FORMS, type WeightsForm } from '../../../convert/file-forms.js'
import { type Conversion, planConversion } from '../../../convert/plan-conversion.js'
import { heldInInt8, planInt8 } from '../../../convert/plan-int8.js'
import { withWhatValuesTell } from '../../../convert/told-by-values.js'
import { weightFiles } from '../../../convert/weight-files.js'
import { LIBRARY_NAMES, type LibraryName } from '../../../convert/writer.js'
import { checkChoice, checkFlag, checkWhole } from '../../../encoder/check-options.js'
import { given } from '../../../encoder/choose-recipe.js'
import { digestOf } from '../../../encoder/digest-of.js'
import type { LoadOptions } from '../../../encoder/load-options.js'
import { modelHints } from '../../../encoder/model-hints.js'
import { shortDigest } from '../../../encoder/short-digest.js'
import { WeightDigest } from '../../../encoder/weight-digest.js'
import type { OutputFile } from '../../../formats/chunk.js'
import { byteLengthOf } from '../../../formats/stored-tensor.js'
import { warn } from '../choose-engine.js'
import { fastestDigest } from '../fastest-digest.js'
import { explainWriteError, FileError } from '../files/file-error.js'
import { makeFolder } from '../files/make-folder.js'
import { lockOutput } from '../files/output-lock.js'
import { writeWhole } from '../files/write-whole.js'
import { findModel, findOptionsOf } from '../find-model.js'
import { hintsOf, type OpenVit, openVit } from '../open-vit.js'
import { namedPlace, readOnlyWeb } from '../storage/named-place.js'
import { carriedFiles } from './carried-files.js'
import { type OutputPlace, outputPlace, refuseOccupied } from './output-place.js'

/** Says what a model becomes. What is told of its source is as for `loadEncoder`. */
export interface ConvertOptions
  extends Pick<
    LoadOptions,
    | 'network'
    | 'entry'
    | 'config'
    | 'heads'
    | 'trainedSize'
    | 'normalisation'
    | 'ignoreFields'
    | 'subfolder'
    | 'offline'
    | 'onProgress'
    | 'onWarning'
    | 'signal'
  > {
  /** Names the library whose layout is written. It must be there, unless `int8` is; then the default is the layout that the model has. */
  readonly to?: LibraryName
  /** Is the type in which values are stored: `f32`, `f16` or `bf16`, each value rounded to the nearest, ties to even; default: the one that each has. */
  readonly dtype?: DtypeName
  /**
   * Writes another network, which only this package reads: its matrices are in bytes, each row with a scale, as `int8` engines round them, and all else is as
   * it was. It has an identity of its own, which names that of its origin, and loads in a fraction of the time and memory. Default `false`.
   */
  readonly int8?: boolean
  /** Is the format of the file; default: as its name ends, else the library's usual one, which is `pt` for `facebook` and `safetensors` for all others. */
  readonly format?: WeightsForm
  /** Bounds the bytes of a file of safetensors for `hugging-face`, which reads weights in several; default: 5 GB. */
  readonly maxShardBytes?: number
  /** Is told how many bytes of weights have been written, out of how many. */
  readonly onWriting?: (written: number, total: number) => void
}

/** Says what was written. */
export interface ConvertedModel {
  /** Leads to the folder, or to the file where there is one alone. */
  readonly path: string
  /** Are the paths of all files. */
  readonly files: readonly string[]
  /** Counts the bytes of the weights. */
  readonly byteLength: number
  /** Is the digest of the weights as they read back: that of the source where `lossless`, but for periods of rotary positions that one of the two layouts alone stores. */
  readonly weights: string
  /** Tells whether each weight was read back as it was, bit by bit. */
  readonly lossless: boolean
  /** Says in whole sentences what the new files do not say, or what their library does otherwise. */
  readonly notes: readonly string[]
}

const CONVERT_OPTIONS = {
  network: true,
  entry: true,
  config: true,
  heads: true,
  trainedSize: true,
  normalisation: true,
  ignoreFields: true,
  subfolder: true,
  offline: true,
  onProgress: true,
  onWarning: true,
  signal: true,
  to: true,
  dtype: true,
  int8: true,
  format: true,
  maxShardBytes: true,
  onWriting: true,
} satisfies OptionNames<ConvertOptions>

const USUAL_SHARD_BYTES = 5e9
/** Ends the name of the folder that a killed run leaves behind, and the next one throws away: nobody else's folder is called so. */
const UNFINISHED = '.plumage.incomplete'

/**
 * Writes a model as another library has it: weights under its names and in its shapes, and the files that stand beside them; or, with `int8`, the network
 * that an engine in `int8` makes of it, as a file that says all by itself. What a layout does not hold is refused by name before anything is written. The output appears when it has been read back as the same network, or not at all; nothing is replaced.
 * One tensor is in memory at a time.
 *
 * @param model as `loadEncoder` takes it
 * @param output is a folder that is made; or a file that ends in .safetensors, .pt or .pth for `birder` and `facebook`, whose files stand alone, or in
 *   .safetensors with `int8`. An address in a bucket (`s3://bucket/key`) is written when the model has been made and read back on this machine
 * @throws what `loadEncoder` throws; `ConvertError` `not-held`, `value-too-large`, `occupied`, `unsupported`, `check-failed`; RangeError for an option
 *   that is none; an error with the code `disk-full`, `not-writable`, `name-too-long` or `locked` where files cannot be written, `StorageError` for a bucket; the signal's reason
 */
export async function convertModel(
  model: string,
  output: string,
  options: ConvertOptions,
): Promise<ConvertedModel> {
  checkConvertOptions(options)
  const named = namedPlace(output)
  if (named.kind === 'web') throw new FileError('not-writable', readOnlyWeb(output))
  if (named.kind === 'path') return await convertToPath(model, named.path, options)
  const { convertIntoBucket } = await import('./convert-into-bucket.js')
  return await convertIntoBucket(output, options.signal, (path) => convertToPath(model, path, options))
}

async function convertToPath(
  model: string,
  output: string,
  options: ConvertOptions,
): Promise<ConvertedModel> {
  const { format, signal, onWarning = warn } = options
  const place = await outputPlace(output, kindOf(options), format)
  refuseShards(options, place)
  const found = await findModel(model, findOptionsOf(options))
  if (found.head !== undefined) {
    throw new ConvertError(
      'not-held',
      `${model} names a network and a head in a file of its own (${basename(found.head)}), which no layout holds in one: convert the network alone (${basename(found.path)}).`,
    )
  }
  await using open = await openVit(found, hintsOf(options))
  for (const assumption of open.vit.assumptions) onWarning(assumption)
  refuseNarrowed(open, options)
  const conversion = await planned(open, place, options)
  await makeFolder(dirname(place.path)).catch((error) => {
    throw explainWriteError(error, output)
  })
  await using _lock = await lockOutput(place.path, given({ signal }))
  const temporary = `${place.path}${UNFINISHED}`
  await rm(temporary, { recursive: true, force: true })
  try {
    const { opened, files, byteLength } = await write(conversion, place, temporary, options)
    const checked = await check(join(temporary, opened), conversion, options)
    await refuseOccupied(place.path, output)
    await rename(place.isFolder ? temporary : join(temporary, place.name), place.path)
    const paths = place.isFolder ? files.map((file) => join(place.path, file)) : [place.path]
    return { path: place.path, files: paths, byteLength, ...checked, notes: conversion.notes }
  } catch (error) {
    throw explainWriteError(error, output)
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

function checkConvertOptions(options: ConvertOptions): void {
  checkOptionNames(options, CONVERT_OPTIONS)
  const { to, dtype, int8, format, maxShardBytes } = options
  checkFlag('int8', int8)
  if (to === undefined && int8 !== true)
    throw new RangeError(
      `The option to (--to) is missing: it names one of ${LIBRARY_NAMES.join(', ')}. Only with int8 (--int8) may it be left out.`,
    )
  if (dtype !== undefined && int8 === true)
    throw new RangeError(
      `The option dtype is ${JSON.stringify(dtype)} beside int8, which says itself how values are stored: matrices in bytes, all else as it is. Leave one out.`,
    )
  checkChoice('to', to, LIBRARY_NAMES)
  checkChoice('dtype', dtype, DTYPE_NAMES)
  checkChoice('format', format, WEIGHTS_FORMS)
  checkWhole('maxShardBytes', maxShardBytes, 1)
}

function kindOf({ to, int8 }: ConvertOptions): FileKind {
  // Where there is no library, the options have been found to ask for bytes.
  return int8 === true || to === undefined ? 'int8' : to
}

/** Of a network in bytes the numbers are lost that another layout or another rounding would be made of, so that whoever means to write it says so by a type. */
function refuseNarrowed({ checkpoint, vit }: OpenVit, { dtype }: ConvertOptions): void {
  if (vit.origin === null || dtype !== undefined) return
  const { model, weights } = vit.origin
  throw new ConvertError(
    'unsupported',
    `${checkpoint.label} has its matrices in bytes, made of ${model} (weights ${shortDigest(weights)}): convert that one. ` +
      'To write the numbers that it has itself, which are fewer, say in which type: dtype (--dtype f32).',
  )
}

function refuseShards(options: ConvertOptions, { form }: OutputPlace): void {
  const kind = kindOf(options)
  if (options.maxShardBytes === undefined || (FILE_FORMS[kind].isSharded && form === 'safetensors')) return
  throw new ConvertError(
    'unsupported',
    `${kind} reads weights of the format ${form} from one file, and maxShardBytes (--max-shard-size) asks for several: leave it out.`,
  )
}

async function planned(open: OpenVit, place: OutputPlace, options: ConvertOptions): Promise<Conversion> {
  const { vit, checkpoint, configFiles, known, path } = open
  const { form, isFolder, name, path: output } = place
  const { to, dtype, int8 = false, ...told } = options
  const config = await withWhatValuesTell(vit, told.signal)
  const beside = configFiles.map(({ label, bytes }) => ({
    name: basename(label),
    text: new TextDecoder().decode(bytes),
  }))
  const plan = planConversion(
    { vit, checkpoint, config },
    {
      library: to ?? vit.dialect,
      form,
      hasFolder: isFolder || int8,
      label: isFolder ? join(output, name) : output,
      configFiles: beside,
      told: int8 || vit.origin !== null ? known : modelHints(told),
      ...(dtype === undefined ? {} : { dtype: DTYPES[dtype] }),
    },
  )
  if (int8) {
    const whole = { ...plan, files: [...plan.files, ...(await carriedFiles(path))] }
    return await inBytes(open, whole, place, options)
  }
  if (!isFolder) return plan
  return {
    ...plan,
    notes: [...plan.notes, ...plan.unsaid],
    files: [...plan.files, ...(await carriedFiles(path))],
  }
}

/** Reads all weights once: which of them bytes hold shows in their values, and so does which network they are. */
async function inBytes(
  { vit, name, note }: OpenVit,
  whole: Conversion,
  { isFolder }: OutputPlace,
  { signal }: ConvertOptions,
): Promise<Conversion> {
  const digest = new WeightDigest(fastestDigest(), await note.read(vit.config))
  const held = await heldInInt8(vit, (...weight) => digest.add(...weight), signal)
  const weights = await digest.finish(vit, note)
  return planInt8(whole, held, { origin: { model: name, weights }, vit, hasFolder: isFolder })
}

/** Writes all files into the temporary folder. */
async function write(
  { tensors, entries, files, wrapping }: Conversion,
  { form, name }: OutputPlace,
  folder: string,
  options: ConvertOptions,
): Promise<{ readonly opened: string; readonly files: readonly string[]; readonly byteLength: number }> {
  const { maxShardBytes = USUAL_SHARD_BYTES, signal, onWriting } = options
  const kind = kindOf(options)
  await makeFolder(folder)
  const byteLength = tensors.reduce((sum, tensor) => sum + byteLengthOf(tensor), 0)
  let written = 0
  const watched = tensors.map((tensor) => ({
    ...tensor,
    async read() {
      signal?.throwIfAborted()
      const bytes = await tensor.read()
      written += bytes.byteLength
      onWriting?.(written, byteLength)
      return bytes
    },
  }))
  const shards = FILE_FORMS[kind].isSharded && form === 'safetensors' ? { maxShardBytes } : {}
  const content = { kind, form, name, tensors: watched, wrapping, entries, ...shards }
  const { open: opened, files: weights } = weightFiles(content, crc32)
  const all: readonly OutputFile[] = [
    ...weights,
    ...files.map(({ name, text }) => ({ path: name, chunks: [text] })),
  ]
  for (const { path, chunks } of all) await writeWhole(join(folder, path), chunks)
  return { opened, files: all.map(({ path }) => path), byteLength }
}

/** Reads what was written as whoever loads it will, and holds its weights against those of the source. */
async function check(
  path: string,
  { source, isCopy, hints, narrowing, held }: Conversion,
  { dtype = 'f32', signal }: ConvertOptions,
): Promise<Pick<ConvertedModel, 'weights' | 'lossless'>> {
  await using back = await openVit(path, { ...hints, ...given({ signal }) })
  const digest = (vit: OpenVit['vit']) => digestOf(vit, { note: NO_NOTE, digestWords: fastestDigest() })
  const [from, to] = comparable(source.vit, back.vit)
  const weights = await digest(to)
  const lossless = narrowing.changed === 0 && held === undefined
  if (held !== undefined) {
    await assertInt8(from, to, held, signal)
  } else if (!lossless && isCopy) {
    await assertCopyRounded(source.checkpoint, back.checkpoint, DTYPES[dtype], signal)
  } else if (!lossless) {
    await assertRounded(from, to, DTYPES[dtype], signal)
  } else if (weights !== (await digest(from))) {
    throw new ConvertError(
      'check-failed',
      'What was written reads back with other weights than were read. Nothing was kept; please report it, with the names of the model and of the layout.',
    )
  }
  return { weights, lossless }
}

/** The files that are checked get other names, so that nothing is noted of them. */
const NO_NOTE = { read: async () => null, write: async () => {} }
