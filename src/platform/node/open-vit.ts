/** Opens a vision transformer by its path: the checkpoint, the config files that lie beside it, and what is noted of its weights. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import type { OpenCheckpoint } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { openCheckpoint } from '../../checkpoint/open-checkpoint.js'
import { withHead } from '../../checkpoint/with-head.js'
import { given } from '../../encoder/choose-recipe.js'
import { layoutOf } from '../../encoder/layout-of.js'
import type { LoadOptions } from '../../encoder/load-options.js'
import { modelHints } from '../../encoder/model-hints.js'
import { CONFIG_FILES, parseConfigFiles } from '../../encoder/parse-config-files.js'
import type { OpenModel } from '../../encoder/vit-stages.js'
import { nameOfFile } from '../../hub/name-of-file.js'
import { VIT_HINTS, type VitHints } from '../../model/dialects/dialect.js'
import { readVit, type VitModel } from '../../model/read-vit.js'
import type { VitConfig } from '../../model/vit-config.js'
import { digestInNote, notesOfFiles } from './digest-notes.js'
import type { FoundModel } from './find-model.js'
import { type FileSource, openFile, siblingsOf } from './open-file.js'
import type { PackedOrigin } from './packed/packed-files.js'
import { besideOf, OBJECT } from './storage/object-path.js'

/** Adds to an open model all that its checkpoint says. */
export interface OpenVit extends OpenModel {
  /** Holds the tensors as the file has them; it is closed with this. */
  readonly checkpoint: OpenCheckpoint
  /** Are the config files that lie beside it. */
  readonly configFiles: readonly {
    /** Is the file's path. */
    readonly label: string
    /** Holds the file as it is. */
    readonly bytes: Uint8Array
  }[]
  /** Holds what is known of the network beside its config files: what the file tells of itself whose matrices are in bytes, and what its name says. */
  readonly known: VitHints
  /** Leads to the file. */
  readonly path: string
  /** Tells it from others, for what is kept of its weights. */
  readonly origin: PackedOrigin
}

/** Adds to the hints about a network which one of its file it is. */
export interface OpenVitHints extends VitHints {
  /** Names the network, where the file holds several; see `LoadOptions`. */
  readonly entry?: string
  /** Leads to the file of a head that stands on the network; see `LoadOptions`. */
  readonly head?: string
  /** Ends the opening and every later read, which then reject with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Picks what a person says about a model from what they say about loading it. */
export function hintsOf(options: LoadOptions): OpenVitHints {
  const { entry, head, signal } = options
  return { ...modelHints(options), ...given({ entry, head, signal }) }
}

const HINTS = { ...VIT_HINTS, entry: true, head: true, signal: true } satisfies OptionNames<OpenVitHints>

/**
 * Opens a checkpoint with the config files beside it. Reads headers only; dispose of the result when its weights have been read. Throws
 * `CheckpointError` as `openFile`, `openCheckpoint` and `readVit`; RangeError for an unknown hint; the signal's reason.
 *
 * @param file is a path, or what `findModel` has found, which may name the network or its architecture
 */
export async function openVit(file: string | FoundModel, hints: OpenVitHints = {}): Promise<OpenVit> {
  checkOptionNames(hints, HINTS)
  const { path, ...found }: Partial<FoundModel> & { path: string } =
    typeof file === 'string' ? { path: file } : file
  const { signal, entry, head: asked, ...said } = hints
  const { head = asked, ...names } = found
  const known = { ...given(names), ...said }
  const sources: FileSource[] = []
  const kept = (source: FileSource) => {
    sources.push(source)
    return source
  }
  // The file of the network, and that of a head on it, may each be the index of several.
  const openParts = async (
    options: Pick<OpenVitHints, 'signal'>,
    told: (source: FileSource) => FileSource,
  ) => {
    const openPart = async (file: string, chosen: Pick<OpenVitHints, 'entry'>) => {
      const siblingOf = siblingsOf(file, options)
      const openSibling = async (name: string) => told(await siblingOf(name))
      return await openCheckpoint(told(await openFile(file, options)), { openSibling, ...options, ...chosen })
    }
    const network = await openPart(path, given({ entry }))
    return head === undefined ? network : await withHead(network, () => openPart(head, {}))
  }
  const checkpoint = await openParts(given({ signal }), kept)
  const readText = (file: string) => readFile(file, 'utf8').catch(() => undefined)
  try {
    const files = CONFIG_FILES.map(async (name) => {
      const label = besideOf(path, name)
      const bytes = OBJECT.test(label)
        ? await readObject(label)
        : await readFile(label).catch((cause) => assertAbsent(label, cause))
      return bytes === undefined ? null : { label, bytes }
    })
    const lying = await Promise.all(files)
    const { int8, label } = checkpoint
    const within = int8 === undefined ? null : await import('../../encoder/hints-within.js')
    const beside = int8 === undefined || within === null ? lying : within.filesWithin(int8, label)
    const told =
      int8 === undefined || within === null ? parseConfigFiles(beside) : within.hintsWithin(int8, label)
    const all: VitHints = { ...told, ...known }
    // Weights, and the one that is not finite, may be asked for long after the file has been closed.
    const again = async <T>(ask: (vit: VitModel) => Promise<T>): Promise<T> => {
      await using reopened = await openParts({}, (source) => source)
      return await ask(readVit(reopened, all))
    }
    const first = readVit(checkpoint, all)
    const { read, stored = async () => null } = first.weights
    const weights = { read, stored }
    const findNonFinite = () => again((vit) => vit.findNonFinite())
    const vit: VitModel = { ...first, weights, findNonFinite }
    const name = nameOfFile(basename(path))
    const stamps = () => Promise.all(sources.map((source) => source.stamp()))
    const layout = layoutOf(vit, checkpoint)
    const { pathFor, write } = await notesOfFiles(layout, stamps)
    const note = { read: async (config: VitConfig) => digestInNote(await readText(pathFor(config))), write }
    const dispose = async () => {
      weights.read = (name, shape) => again((vit) => vit.weights.read(name, shape))
      weights.stored = async () => null
      await checkpoint[Symbol.asyncDispose]()
    }
    const origin = { name, path, layout, stamps }
    const configFiles = beside.flatMap((file) => (file === null ? [] : [file]))
    return {
      vit,
      checkpoint,
      configFiles,
      known: { ...(int8?.told as VitHints | undefined), ...known },
      path,
      name,
      note,
      origin,
      [Symbol.asyncDispose]: dispose,
    }
  } catch (error) {
    await checkpoint[Symbol.asyncDispose]()
    throw error
  }
}

async function readObject(address: string): Promise<Uint8Array | undefined> {
  const { readObjectIfThere } = await import('./storage/object-address.js')
  return await readObjectIfThere(address)
}

/** A config that is there and cannot be read would change the numbers: it is an error. */
function assertAbsent(path: string, cause: NodeJS.ErrnoException): undefined {
  if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined
  throw new CheckpointError(
    'not-found',
    `${path}, which lies beside the weights, cannot be read: ${cause.message}. Make it readable, or move it away.`,
    { cause },
  )
}
