/** Holds how every command names a collection, and how the encoder is loaded that made it. */
import type { Command } from 'commander'
import type { Collection } from '../collection/collection.js'
import { given } from '../encoder/choose-recipe.js'
import type { PlainRecord } from '../plain-value.js'
import type { FileEncoder } from '../work/file-encoder.js'
import type { CommandContext } from './context.js'
import { loadChosenEncoder } from './load-chosen-encoder.js'
import type { ModelOptions } from './model-options.js'

/** Is what a collection is called that nobody has named. */
const DEFAULT_COLLECTION = 'photos.plumage'

export function addCollectionOption(command: Command, flags: string, description: string): Command {
  return command.option(flags, description, DEFAULT_COLLECTION)
}

/** Is what of the command line concerns how fast, and not what. */
export type PassingOptions = Pick<ModelOptions, 'engine' | 'threads' | 'offline' | 'json'>

/** Loads the model as the collection was made with it. Throws `CollectionError` `other-identity` where it is another by now. */
export async function loadEncoderOf(
  context: CommandContext,
  collection: Collection,
  options: PassingOptions,
): Promise<FileEncoder> {
  return await loadEncoderAs(context, collection.about.model, options, ({ identity }) =>
    collection.assertSame(identity),
  )
}

/** Loads a model as it was loaded before, and gives it back where it is not the same any more. */
export async function loadEncoderAs(
  context: CommandContext,
  { source, options: kept }: { readonly source: string; readonly options: PlainRecord },
  { engine, threads, offline, json }: PassingOptions,
  assertSame: (encoder: FileEncoder) => void,
): Promise<FileEncoder> {
  const passing = given({ engine, threads, offline, json })
  const all = { exif: true, ...kept, ...passing, model: source } as unknown as ModelOptions
  const encoder = await loadChosenEncoder(context, all)
  try {
    assertSame(encoder)
    return encoder
  } catch (error) {
    await encoder[Symbol.asyncDispose]()
    throw error
  }
}
