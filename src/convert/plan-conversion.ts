/**
 * Plans a conversion: which tensors are written, what stands beside them, and what a person should know. A network that is in the library's layout already
 * keeps its tensors and its files; any other is written as the library's class has it, and held against its own reader first.
 */
import { recipeFor } from '../encoder/choose-recipe.js'
import { CONFIG_FILES, parseConfigFiles } from '../encoder/parse-config-files.js'
import type { StoredTensor } from '../formats/stored-tensor.js'
import { recipeIdentity } from '../image/recipe.js'
import type { DialectName, VitHints } from '../model/dialects/dialect.js'
import type { VitModel } from '../model/read-vit.js'
import { isRecord, type PlainRecord } from '../plain-value.js'
import type { StoredFloat } from '../tensor/narrow.js'
import { refuseUnheld, writerOrNull } from './choose-writer.js'
import { ConvertError } from './convert-error.js'
import type { WeightsForm } from './file-forms.js'
import { Narrowing } from './narrowing.js'
import { planCopied } from './plan-copied.js'
import { type ConvertSource, planWritten } from './plan-written.js'
import { readBack } from './read-back.js'
import type { Writer } from './writer.js'

/** Is a file that lies beside weights. */
export interface TextFile {
  readonly name: string
  readonly text: string
}

export interface ConversionRequest {
  /** Names the library whose layout is written; one that is none of `LibraryName` keeps its own. */
  readonly library: DialectName
  readonly form: WeightsForm
  /** Is the type of all values; absent where each tensor keeps the one that it has. */
  readonly dtype?: StoredFloat
  /** Tells whether files can lie beside the weights. */
  readonly hasFolder: boolean
  /** Names the output in messages. */
  readonly label: string
  /** Are the config files beside the source. */
  readonly configFiles: readonly TextFile[]
  /** Is what was told of the source, beside its files. */
  readonly told: VitHints
}

export interface Conversion {
  readonly tensors: readonly StoredTensor[]
  readonly entries: PlainRecord
  /** Names the weights that are in bytes; absent where none are to be. */
  readonly held?: ReadonlySet<string>
  readonly files: readonly TextFile[]
  readonly narrowing: Narrowing
  /** Is the network as it will be read, by its headers. */
  readonly back: VitModel
  /** Is what whoever loads the output must say of it. */
  readonly hints: VitHints
  /** Says in whole sentences what whoever uses the output should know. */
  readonly notes: readonly string[]
  /** Says in whole sentences what of it the library itself must be told, since its files cannot say it. */
  readonly unsaid: readonly string[]
}

/** Throws `ConvertError` `not-held` where the library's layout does not hold the network. Reads no values. */
export function planConversion(source: ConvertSource, request: ConversionRequest): Conversion {
  const { vit, checkpoint } = source
  const { library, label } = request
  const narrowing = new Narrowing()
  const storing = { narrowing, ...(request.dtype === undefined ? {} : { dtype: request.dtype }) }
  const writer = writerOrNull(library, vit.config)
  const written = writer === null ? null : planWritten(source, writer, storing)
  const isOwn = vit.dialect === library
  // What a newer version of transformers has in memory goes by other names than its files do.
  const isNamed = library !== 'hugging-face' || written?.every(({ name }) => checkpoint.tensors.has(name))
  if (isOwn && (isNamed ?? true))
    return copied(source, request, { tensors: planCopied(source, storing), narrowing })
  if (writer === null || written === null) throw refuseUnheld(library, vit.config, checkpoint.label)
  for (const { dtype } of checkpoint.tensors.values()) if (dtype === 'F64') narrowing.takeDouble()
  const { labels, config } = vit
  const told = writer.files({
    config,
    labels: labels.names,
    recipe: recipeFor(vit, {}),
    dtype: torchType(written),
  })
  const files = request.hasFolder ? textFiles(told) : []
  const hints: VitHints = {
    ...parsedFiles(files, label),
    ...(library === 'facebook' ? { heads: config.heads } : {}),
  }
  const planned = { tensors: written, entries: told.entries ?? {}, files, narrowing, hints }
  const back = readBack({ ...planned, label, format: formatOf(request) }, config, library)
  return { ...planned, back, notes: notesOf(source, back, writer), unsaid: writer.notes?.(config) ?? [] }
}

function copied(
  { vit, checkpoint }: ConvertSource,
  { configFiles, dtype, hasFolder, label, library, form, told }: ConversionRequest,
  { tensors, narrowing }: { readonly tensors: readonly StoredTensor[]; readonly narrowing: Narrowing },
): Conversion {
  const files = hasFolder ? configFiles.map((file) => inType(file, dtype)) : []
  const { format: _format, ...entries } = checkpoint.metadata
  const planned = { tensors, entries: library === 'birder' ? entries : {}, files, narrowing }
  const { network: _network, ...others } = told
  const alone = { ...parsedFiles(files, label), ...others }
  const { network } = vit.config
  const read = (hints: VitHints) =>
    readBack({ ...planned, hints, label, format: formatOf({ form }) }, vit.config, library, NAME_IT)
  const notes = droppedNotes(checkpoint.dropped)
  if (library !== 'birder' || network === null || says(network, () => read(alone))) {
    const hints = { ...alone, ...told }
    return { ...planned, back: read(hints), hints, notes, unsaid: [] }
  }
  const hints = { ...alone, network }
  const back = read(hints)
  const unsaid = `Nothing in ${label} says that it is ${network}: whoever loads it says so as network (--network ${network}), or gives the file a name that begins with it.`
  return { ...planned, back, hints, notes, unsaid: [unsaid] }
}

const NAME_IT =
  'What the name of the source tells of it must be told (network, --network), or stand in the name of the output too.'

/** Birder tells networks apart by the names of their files, so that a copy under another name may be read as another one. */
function says(network: string, read: () => VitModel): boolean {
  try {
    return read().config.network === network
  } catch (error) {
    if (error instanceof ConvertError) return false
    throw error
  }
}

function formatOf({ form }: Pick<ConversionRequest, 'form'>): 'torch' | 'safetensors' {
  return form === 'pt' ? 'torch' : 'safetensors'
}

/** transformers casts weights to the type that the config.json names, so that it must be the one that they are written in. */
function inType(file: TextFile, dtype: StoredFloat | undefined): TextFile {
  if (dtype === undefined || file.name !== 'config.json') return file
  const config: unknown = JSON.parse(file.text)
  const keys = ['dtype', 'torch_dtype'].filter(
    (key) => isRecord(config as PlainRecord) && Object.hasOwn(config as object, key),
  )
  if (keys.length === 0) return file
  const changed = Object.fromEntries(keys.map((key) => [key, TORCH_TYPES[dtype]]))
  return jsonFile(file.name, { ...(config as PlainRecord), ...changed })
}

const TORCH_TYPES: Readonly<Record<StoredFloat, string>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
}

/** A file of several types is read in the widest, which keeps all values. */
function torchType(tensors: readonly StoredTensor[]): string {
  const [first, ...others] = new Set(tensors.map(({ dtype }) => dtype))
  return first === 'F16' || first === 'BF16'
    ? TORCH_TYPES[others.length === 0 ? first : 'F32']
    : TORCH_TYPES.F32
}

function textFiles({ configFile, preprocessorFile }: ReturnType<Writer['files']>): readonly TextFile[] {
  return [
    ...(configFile === undefined ? [] : [jsonFile('config.json', configFile)]),
    ...(preprocessorFile === undefined ? [] : [jsonFile('preprocessor_config.json', preprocessorFile)]),
  ]
}

function jsonFile(name: string, content: PlainRecord): TextFile {
  return { name, text: `${JSON.stringify(content, null, 2)}\n` }
}

function parsedFiles(files: readonly TextFile[], label: string) {
  const bytesOf = (name: string) => {
    const file = files.find((one) => one.name === name)
    return file === undefined
      ? null
      : { label: `${name} of ${label}`, bytes: new TextEncoder().encode(file.text) }
  }
  return parseConfigFiles(CONFIG_FILES.map(bytesOf))
}

/** Says what the new files cannot say, or what their library does otherwise. */
function notesOf({ vit, checkpoint }: ConvertSource, back: VitModel, writer: Writer): readonly string[] {
  const notes = [...droppedNotes(checkpoint.dropped)]
  const [rule, other] = [vit.config.positions?.rule, back.config.positions?.rule]
  if (rule !== undefined && rule !== other) {
    notes.push(
      `At other sizes than ${vit.config.size.join(' x ')} ${writer.library} resamples positions by the rule ${other}, and the source by ${rule}: the numbers there differ a little. Here the source's rule is asked for as positions (--positions ${rule}).`,
    )
  }
  const [own, its] = [preparationOf(vit), preparationOf(back)]
  if (own !== its) {
    notes.push(
      `Images are prepared otherwise there by default (${its}) than for the source (${own}). Here recipe, size and normalisation (--recipe, --size, --normalisation) ask for the source's way.`,
    )
  }
  if (vit.labels.names?.join('\n') !== back.labels.names?.join('\n'))
    notes.push(
      `The names of the classes are not told by the new files: ${back.labels.problem ?? 'its numbers tell them'}`,
    )
  return notes
}

function preparationOf(vit: VitModel): string {
  const { mean, std } = vit.config.rgbStats
  return `${recipeIdentity(recipeFor(vit, {}))}, levels less ${mean.join(' ')} by ${std.join(' ')}`
}

function droppedNotes(dropped: readonly string[]): readonly string[] {
  return dropped.length === 0 ? [] : [`Left aside, since the network does not use it: ${dropped.join(', ')}.`]
}
