/** Holds how every command names a collection, and how the encoder is loaded that made it. */
import type { Command } from 'commander'
import type { Collection } from '../collection/collection.js'
import type { About } from '../collection/store.js'
import { given } from '../encoder/choose-recipe.js'
import type { Identity } from '../encoder/types.js'
import { isAddress } from '../is-address.js'
import type { PlainRecord } from '../plain-value.js'
import { pathOfFile, refusedScheme, shownName } from '../platform/node/storage/named-place.js'
import type { FileEncoder } from '../work/file-encoder.js'
import { UsageError } from './cli-error.js'
import type { CommandContext } from './context.js'
import { loadChosenEncoder } from './load-chosen-encoder.js'
import type { ModelOptions } from './model-options.js'

/** Is what a collection is called that nobody has named. */
export const DEFAULT_COLLECTION = 'photos.plumage'

export function addCollectionOption(command: Command, flags: string, description: string): Command {
  return command.option(flags, description, DEFAULT_COLLECTION)
}

/** Are kinds of addresses of which it is known elsewhere whether collections lie there. */
const KNOWN = /^(s3|https?|postgres(ql)?|gs|az|abfss?|r2)$/i

/** Gives where a collection is that a person has named: an address stays as it is, a folder is taken from the current one. Throws `StorageError` for a kind of address that nobody knows. */
export function collectionPlace(files: CommandContext['files'], name: string): string {
  if (!isAddress(name)) return files.resolve(name)
  const [, scheme = ''] = /^([^:]+):/.exec(name) ?? []
  if (/^file$/i.test(scheme)) return files.resolve(pathOfFile(name))
  if (KNOWN.test(scheme)) return name
  throw refusedScheme(scheme)
}

/** Is what of the command line concerns how fast and from where, and not what. */
export type PassingOptions = Partial<
  Pick<
    ModelOptions,
    'engine' | 'threads' | 'offline' | 'json' | 'maxFileBytes' | 'fetchTimeoutMs' | 'allowPrivateAddresses'
  >
>

/** Loads the model as the collection was made with it. Throws `CollectionError` `other-identity` where it is another by now. */
export async function loadEncoderOf(
  context: CommandContext,
  collection: Collection,
  options: PassingOptions & { readonly model?: string | undefined },
): Promise<FileEncoder> {
  const { model, identity } = collection.about
  const source = options.model ?? model.source
  if (source === '')
    throw new UsageError(
      `${collection.store.label} holds embeddings of ${identity.model}, which it does not know how to load: name the model (--model), or search by --id.`,
    )
  return await loadEncoderAs(context, { ...model, source }, options, (encoder) =>
    collection.assertSame(encoder.identity),
  )
}

/** Loads a model as it was loaded before, and gives it back where it is not the same any more. */
export async function loadEncoderAs(
  context: CommandContext,
  { source, options: kept }: About['model'],
  passing: PassingOptions,
  assertSame: (encoder: FileEncoder) => void,
): Promise<FileEncoder> {
  const { engine, threads, offline, json, maxFileBytes, fetchTimeoutMs, allowPrivateAddresses } = passing
  const said = given({ engine, threads, offline, json, maxFileBytes, fetchTimeoutMs, allowPrivateAddresses })
  const all = { exif: true, ...kept, ...said, model: source } as unknown as ModelOptions
  const encoder = await loadChosenEncoder(context, all)
  try {
    assertSame(encoder)
    return encoder
  } catch (error) {
    await encoder[Symbol.asyncDispose]()
    throw error
  }
}

/** Are those of a model's options that say how it computes and what it takes: they are the same for all photos of a collection. Others say where and how fast. */
const LASTING: readonly (keyof ModelOptions)[] = [
  'size',
  'shortest',
  'longest',
  'scale',
  'maxTokens',
  'maxPatches',
  'recipe',
  'cropFraction',
  'decode',
  'network',
  'entry',
  'subfolder',
  'heads',
  'patchSize',
  'trainedSize',
  'normalisation',
  'positions',
  'embedding',
  'head',
  'headPooling',
  'headPatchLayer',
  'ignoreField',
  'exif',
  'transparency',
]

/** Says how the encoder is loaded again that was chosen by these options. What signs an address is no part of it: others read what is kept. */
export function modelOf(options: ModelOptions, { precision }: Identity): About['model'] {
  const kept = LASTING.filter((name) => options[name] !== undefined).map((name) => [name, options[name]])
  return {
    source: shownName(options.model),
    options: { ...(Object.fromEntries(kept) as PlainRecord), precision },
  }
}
