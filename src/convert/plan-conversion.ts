/**
 * Plans a conversion: which tensors are written, what stands beside them, and what a person should know. A network that is in the library's layout already
 * keeps its tensors and its files; any other is written as the library's class has it, and held against its own reader first.
 */
import { recipeFor } from '../encoder/choose-recipe.js'
import { CONFIG_FILES, parseConfigFiles } from '../encoder/parse-config-files.js'
import type { StoredTensor } from '../formats/stored-tensor.js'
import type { DialectName, VitHints } from '../model/dialects/dialect.js'
import type { VitModel } from '../model/read-vit.js'
import { isRecord, type PlainRecord } from '../plain-value.js'
import { isFloatType } from '../tensor/dtype.js'
import type { StoredFloat } from '../tensor/narrow.js'
import { type ChosenWriter, chooseWriter, refuseUnheld } from './choose-writer.js'
import { notesOf } from './conversion-notes.js'
import { ConvertError } from './convert-error.js'
import type { ConvertSource, Storing } from './convert-source.js'
import type { WeightsForm } from './file-forms.js'
import { dropped, leftAside } from './left-aside.js'
import { Narrowing } from './narrowing.js'
import { planCopied } from './plan-copied.js'
import { namesOf, planWritten } from './plan-written.js'
import { readBack } from './read-back.js'
import { planCarried } from './text-tower.js'
import type { Wrapping, Writer } from './writer.js'
import { BIRDER_WRAPPING } from './writers/birder-writer.js'

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
  /** Is the network as it is told in what is written. */
  readonly source: ConvertSource
  readonly tensors: readonly StoredTensor[]
  readonly entries: PlainRecord
  /** Names the weights that are in bytes; absent where none are to be. */
  readonly held?: ReadonlySet<string>
  readonly files: readonly TextFile[]
  readonly narrowing: Narrowing
  /** Tells whether the tensors are those of the source, each by itself. */
  readonly isCopy: boolean
  /** Is what stands around the names of the tensors; null where nothing does. */
  readonly wrapping: Wrapping | null
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
  const { vit } = source
  const { library, form } = request
  const narrowing = new Narrowing()
  const storing = { narrowing, ...(request.dtype === undefined ? {} : { dtype: request.dtype }) }
  const chosen = chooseWriter(source, library, form)
  if (vit.dialect === library && (chosen === null || isComplete(chosen, request)))
    return copied(source, request, { tensors: planCopied(source, storing), narrowing })
  if (chosen === null) throw refuseUnheld(source, { library, form })
  return anew(source, chosen, request, storing)
}

/** Plans a network as a class of the library has it. @param own is the source in its own words: what these use is told otherwise and not left aside */
function anew(
  own: ConvertSource,
  { writer, retold: { source, notes } }: ChosenWriter,
  request: ConversionRequest,
  storing: Storing,
): Conversion {
  const { vit, checkpoint, config } = source
  const { library, label, form, hasFolder } = request
  const { narrowing } = storing
  const text = writer.text?.(source, parsedFiles(request.configFiles, checkpoint.label)) ?? NO_TEXT
  const tensors = [
    ...planWritten(source, writer, storing),
    ...(typeof text === 'string' ? [] : planCarried(checkpoint, text, storing)),
  ]
  for (const { dtype } of checkpoint.tensors.values()) if (dtype === 'F64') narrowing.takeDouble()
  const told = writer.files({
    config,
    labels: vit.labels.names,
    recipe: recipeFor(vit, {}),
    text,
    dtype: torchType(tensors),
  })
  const files = hasFolder ? textFiles(told) : []
  const hints: VitHints = { ...parsedFiles(files, label), ...writer.hints?.(config, !hasFolder) }
  const wrapping = form === 'pt' ? (writer.wrapping ?? null) : null
  const planned = {
    source,
    isCopy: false,
    tensors,
    entries: told.entries ?? {},
    files,
    narrowing,
    wrapping,
    hints,
  }
  const asRead = writer.asRead?.(config) ?? config
  const {
    keyBias: _keys,
    linearBias: _linear,
    stemBias: _stem,
    headBias: _head,
    barePooling: _pooling,
    ...expected
  } = asRead
  const back = readBack({ ...planned, label, format: formatOf(request) }, expected, library)
  const unsaid = writer.notes?.(config, !hasFolder, text) ?? []
  return {
    ...planned,
    back,
    notes: [
      ...notes,
      ...leftAside(own, writer.further?.(config) ?? [], text),
      ...notesOf(source, back, writer.library),
    ],
    unsaid,
  }
}

const NO_TEXT = 'the class has none'

/** Tells whether the library loads a copy as well as what would be written anew. */
function isComplete(
  { writer, retold: { source } }: ChosenWriter,
  { library, configFiles }: ConversionRequest,
): boolean {
  // What a newer version of transformers has in memory goes by other names than its files do.
  if (library === 'hugging-face')
    return namesOf(source, writer).every((name) => source.checkpoint.tensors.has(name))
  // Files of others that have timm's names, such as those of the first DINO and of MAE, come without its config.json.
  return library !== 'timm' || configFiles.some(({ name }) => name === 'config.json')
}

function copied(
  source: ConvertSource,
  { configFiles, dtype, hasFolder, label, library, form, told }: ConversionRequest,
  { tensors, narrowing }: { readonly tensors: readonly StoredTensor[]; readonly narrowing: Narrowing },
): Conversion {
  const { vit, checkpoint } = source
  const files = hasFolder ? configFiles.map((file) => inType(file, dtype)) : []
  const { format: _format, ...entries } = checkpoint.metadata
  const planned = {
    source,
    isCopy: true,
    tensors,
    entries: library === 'birder' ? entries : {},
    files,
    narrowing,
    wrapping: form === 'pt' ? wrappingOf(library, checkpoint.wrapping) : null,
  }
  const { network: _network, ...others } = told
  const alone = { ...parsedFiles(files, label), ...others }
  const { network } = vit.config
  const read = (hints: VitHints) =>
    readBack({ ...planned, hints, label, format: formatOf({ form }) }, vit.config, library, NAME_IT)
  const notes = dropped(source)
  if (library !== 'birder' || network === null || says(network, () => read(alone))) {
    const hints = { ...alone, ...told }
    const back = read(hints)
    return { ...planned, back, hints, notes: [...notes, ...notesOf(source, back, library)], unsaid: [] }
  }
  const hints = { ...alone, network }
  const back = read(hints)
  const unsaid = `Nothing in ${label} says that it is ${network}: whoever loads it says so as network (--network ${network}), or gives the file a name that begins with it.`
  return { ...planned, back, hints, notes, unsaid: [unsaid] }
}

/**
 * Birder's files have entries beside the state dict. What stands around names tells some files of Meta's from others, so that a copy keeps it, but for what
 * training puts in front of all of them; the other libraries read a bare state dict.
 */
function wrappingOf(library: DialectName, wrapping: string): Wrapping | null {
  if (library === 'birder') return BIRDER_WRAPPING
  if (library !== 'facebook') return null
  const [, entry, prefix = ''] = /^([\w-]+)(?:\/([\w.-]*))?$/.exec(wrapping) ?? []
  return entry === undefined ? null : { entry, prefix }
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
  const [first, ...others] = new Set(tensors.map(({ dtype }) => dtype).filter(isFloatType))
  return first === 'F16' || first === 'BF16'
    ? TORCH_TYPES[others.length === 0 ? first : 'F32']
    : TORCH_TYPES.F32
}

function textFiles({
  configFile,
  preprocessorFile,
  openClipFile,
}: ReturnType<Writer['files']>): readonly TextFile[] {
  return [
    ...(openClipFile === undefined ? [] : [jsonFile('open_clip_config.json', openClipFile)]),
    ...(configFile === undefined ? [] : [jsonFile('config.json', configFile)]),
    ...(preprocessorFile === undefined ? [] : [jsonFile('preprocessor_config.json', preprocessorFile)]),
  ]
}

function jsonFile(name: string, content: PlainRecord): TextFile {
  const floats = content.model_type === 'radio' ? FLOATS_OF_RADIO : WHOLE_FLOATS
  return { name, text: `${JSON.stringify(content, null, 2).replaceAll(floats, '$&.0')}\n` }
}

/** Finds numbers without a fraction in fields of which transformers demands that they are no whole numbers, by which Python takes what has no point. */
const WHOLE_FLOATS = /"(?:rope_theta|layer_norm_eps)": \d+(?=,?\n)/g
/** A network of DINOv2 has whole numbers for its ratio. */
const FLOATS_OF_RADIO = /(?<="(?:mlp_ratio|layer_norm_eps)": |"norm_(?:mean|std)": \[[\s\d,]*)\b\d+(?=,?\n)/g

function parsedFiles(files: readonly TextFile[], label: string) {
  const bytesOf = (name: string) => {
    const file = files.find((one) => one.name === name)
    return file === undefined
      ? null
      : { label: `${name} of ${label}`, bytes: new TextEncoder().encode(file.text) }
  }
  return parseConfigFiles(CONFIG_FILES.map(bytesOf))
}
