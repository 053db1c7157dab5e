/** Opens a vision transformer by a name, an address or dropped files: its bytes, and the config files that belong to it. */
import type { ByteSource, Checkpoint } from '../../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../../checkpoint/checkpoint-error.js'
import { openCheckpoint } from '../../../checkpoint/open-checkpoint.js'
import { withHead } from '../../../checkpoint/with-head.js'
import { given } from '../../../encoder/choose-recipe.js'
import { layoutOf } from '../../../encoder/layout-of.js'
import { modelHints } from '../../../encoder/model-hints.js'
import { CONFIG_FILES, parseConfigFiles } from '../../../encoder/parse-config-files.js'
import type { OpenModel } from '../../../encoder/vit-stages.js'
import { checkSubfolder } from '../../../hub/check-subfolder.js'
import { DEFAULT_MODEL } from '../../../hub/default-model.js'
import { findPublishedModel } from '../../../hub/find-published-model.js'
import { HubError } from '../../../hub/hub-error.js'
import { checkpointsAmong, nameOfFile } from '../../../hub/name-of-file.js'
import { namesByRule } from '../../../hub/names-by-rule.js'
import { parseModelName, USUAL_NAMES } from '../../../hub/parse-model-name.js'
import { type RepositoryRevision, repositoryUrl } from '../../../hub/repository-name.js'
import { unknownModel } from '../../../hub/unknown-model.js'
import { birder } from '../../../model/dialects/birder.js'
import type { VitHints } from '../../../model/dialects/dialect.js'
import { readAmong, type VitModel } from '../../../model/read-among.js'
import { noteOfDownloads } from '../storage/digest-notes.js'
import { type FetchedModel, type FetchModelOptions, fetchModel } from '../storage/fetch-model.js'
import type { HostLoadOptions, ModelAddress } from './protocol.js'

/** Reads headers only; a model that is not here yet is fetched. Throws `HubError`, `CheckpointError`. */
export async function openModel(
  address: ModelAddress,
  options: HostLoadOptions,
  fetching: Omit<FetchModelOptions, 'sha256' | 'atMost'>,
): Promise<OpenModel> {
  const { signal } = fetching
  const files = await filesOf(address, options, fetching)
  const hashes: FetchedModel['sha256'][] = []
  // The file of the network, and that of a head on it, may each be the index of several.
  const openPart = async ({ main, label, sibling }: ModelFiles, chosen: { readonly entry?: string }) => {
    const told = ({ blob, sha256 }: FetchedModel, name: string) => {
      hashes.push(sha256)
      return { ...blobSource(blob, name, signal), [Symbol.asyncDispose]: async () => {} }
    }
    const openSibling = async (name: string) => told(await sibling(name), name)
    return await openCheckpoint(told(main, label), { openSibling, signal, ...chosen })
  }
  const alone = await openPart(files, given({ entry: options.entry }))
  const { head } = options
  const openHead = async (url: string) => openPart(await fetchedFiles(new URL(url), fetching), {})
  const checkpoint = head === undefined ? alone : await withHead(alone, () => openHead(head))
  const beside = CONFIG_FILES.map(async (name) => {
    const blob = await files.beside(name)
    return blob === null ? null : { label: name, bytes: new Uint8Array(await blob.arrayBuffer()) }
  })
  const { int8 } = checkpoint
  const configs =
    int8 === undefined
      ? parseConfigFiles(await Promise.all(beside))
      : (await import('../../../encoder/hints-within.js')).hintsWithin(int8, checkpoint.label)
  const { network, architecture } = files
  const known = { ...given({ network, architecture }), ...configs, ...modelHints(options) }
  const vit = await readModel(checkpoint, known)
  const name = nameOfFile(files.label)
  const note = noteOfDownloads(layoutOf(vit, checkpoint), hashes)
  return { vit, name, note, [Symbol.asyncDispose]: async () => {} }
}

/** All other libraries' dialects are a third of what a page loads, so that they come with the first of their files. */
async function readModel(checkpoint: Checkpoint, hints: VitHints): Promise<VitModel> {
  if (birder.recognises(checkpoint.tensors, hints)) return readAmong([birder], checkpoint, hints)
  const { readVit } = await import('../../../model/read-vit.js')
  return readVit(checkpoint, hints)
}

/** Gives the parts of a model, wherever they come from. */
interface ModelFiles {
  readonly main: FetchedModel
  /** Is the file's name. */
  readonly label: string
  readonly network?: string | undefined
  /** Is timm's name of what is built of the weights, where the name that was asked for says another than the files that it shares. */
  readonly architecture?: string | undefined
  /** Gives a further part of the checkpoint. */
  sibling(name: string): Promise<FetchedModel>
  /** Gives a config file, or null where there is none. */
  beside(name: string): Promise<Blob | null>
}

async function filesOf(
  address: ModelAddress,
  options: HostLoadOptions,
  fetching: Omit<FetchModelOptions, 'sha256' | 'atMost'>,
): Promise<ModelFiles> {
  const { subfolder } = options
  if (address.kind !== 'name') checkSubfolder(subfolder, false)
  switch (address.kind) {
    case 'name':
      return namedFiles(address.name, subfolder, fetching)
    case 'url':
      return fetchedFiles(new URL(address.url), { ...fetching, ...given({ sha256: options.sha256 }) })
    case 'files':
      return givenFiles(address.files)
  }
}

const ALONE: Pick<ModelFiles, 'sibling' | 'beside'> = {
  sibling: async (name) => {
    throw missingPart(name)
  },
  beside: async () => null,
}

async function namedFiles(
  text: string,
  subfolder: string | undefined,
  fetching: Omit<FetchModelOptions, 'sha256' | 'atMost'>,
): Promise<ModelFiles> {
  const name = parseModelName(text)
  checkSubfolder(subfolder, name?.kind === 'repository')
  switch (name?.kind) {
    case undefined:
      throw unknownModel(
        text,
        namesByRule(),
        'Any repository of Hugging Face is named owner/name. For a file of your own, give it as a File or by its address.',
      )
    case 'packaged': {
      // The address is written out, so that bundlers find the file.
      const url = new URL(
        '../../../../models/small/vit_reg4_s14_nps_ls_tiny-imagenet.safetensors',
        import.meta.url,
      )
      const { fileName: label, sha256, bytes: atMost } = DEFAULT_MODEL
      return { main: await fetchModel(url, { ...fetching, sha256, atMost }), label, ...ALONE }
    }
    case 'published': {
      const { network, file } = findPublishedModel(name.name)
      const { url, fileName: label, sha256, atMost } = file
      return {
        main: await fetchModel(new URL(url), { ...fetching, sha256, atMost }),
        label,
        network,
        ...ALONE,
      }
    }
    case 'repository':
      return {
        ...(await repositoryFiles({ ...name, subfolder }, fetching)),
        architecture: name.architecture,
      }
    case 'elsewhere':
      throw new HubError('no-address', name.advice)
    case 'file':
      return { main: await fetchModel(new URL(name.url), fetching), label: name.fileName, ...ALONE }
  }
}

/** Takes the first of the usual files that a repository of Hugging Face has. */
async function repositoryFiles(
  repository: RepositoryRevision,
  fetching: Omit<FetchModelOptions, 'sha256' | 'atMost'>,
): Promise<ModelFiles> {
  for (const name of USUAL_NAMES) {
    try {
      return await fetchedFiles(new URL(repositoryUrl(repository, name)), fetching)
    } catch (error) {
      if (!(error instanceof HubError) || error.code !== 'not-found') throw error
    }
  }
  const { id, revision } = repository
  throw new HubError(
    'not-found',
    `Hugging Face has no repository ${id} with a checkpoint in PyTorch's formats at ${revision} (asked for ${USUAL_NAMES.join(', ')}).`,
  )
}

/** Recognises Hugging Face's own file names: what lies beside them is known. */
const WITH_CONFIG = /^(model|pytorch_model)(-\d+-of-\d+)?\.(safetensors|bin)$|\.index\.json$/

async function fetchedFiles(url: URL, fetching: FetchModelOptions): Promise<ModelFiles> {
  const label = unescaped(url.pathname.split('/').pop() ?? '') || url.host
  const { sha256: _, ...rest } = fetching
  return {
    main: await fetchModel(url, fetching),
    label,
    sibling: (name) => fetchModel(new URL(name, url), rest),
    beside: async (name) => {
      if (!WITH_CONFIG.test(label)) return null
      try {
        const small = { ...rest, atMost: 2 ** 20, onProgress: () => {} }
        return (await fetchModel(new URL(name, url), small)).blob
      } catch (error) {
        // Some models come without; any other trouble is one.
        if (error instanceof HubError && error.code === 'not-found') return null
        throw error
      }
    },
  }
}

/** Leaves a name as it stands where its escapes mean nothing. */
function unescaped(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

function givenFiles(files: readonly Blob[]): ModelFiles {
  const named = new Map(files.map((file) => [file instanceof File ? file.name : 'the file', file]))
  const names = [...named.keys()]
  // One file is looked at whatever it is called.
  const [label, ...others] = files.length === 1 ? names : checkpointsAmong(names)
  const main = label === undefined ? undefined : named.get(label)
  if (label === undefined || main === undefined || others.length > 0) {
    throw new CheckpointError(
      'unknown-format',
      `Of the files ${names.join(', ') || '(none)'} one must be the checkpoint (.safetensors, .pt, .pth, .bin), or the index.json of several.`,
    )
  }
  return {
    main: notFetched(main),
    label,
    sibling: async (name) => {
      const found = named.get(name)
      if (found === undefined) throw missingPart(name)
      return notFetched(found)
    },
    beside: async (name) => named.get(name) ?? null,
  }
}

/** Files that a person gives are not hashed: that would take as long as digesting their weights. */
function notFetched(blob: Blob): FetchedModel {
  return { blob, sha256: null }
}

function missingPart(name: string): CheckpointError {
  return new CheckpointError(
    'not-found',
    `The checkpoint has a part ${name}, which was not given: give all its files together.`,
  )
}

function blobSource(blob: Blob, label: string, signal: AbortSignal): ByteSource {
  return {
    label,
    size: blob.size,
    async read(offset, length) {
      signal.throwIfAborted()
      const bytes = await blob
        .slice(offset, offset + length)
        .arrayBuffer()
        .catch((cause) => {
          throw new CheckpointError(
            'not-found',
            `${label} cannot be read any more: has it been moved or changed?`,
            {
              cause,
            },
          )
        })
      if (bytes.byteLength === length) return new Uint8Array(bytes)
      throw new CheckpointError(
        'truncated',
        `${label} ends ${length - bytes.byteLength} bytes before it should: it was cut or replaced while it was read`,
      )
    },
  }
}
