/** Holds how every command names a collection, and how the encoder is loaded that made it. */
import type { Command } from 'commander'
import type { Collection } from '../collection/collection.js'
import type { FileEncoder } from '../work/file-encoder.js'
import type { CommandContext } from './context.js'
import { loadChosenEncoder } from './load-chosen-encoder.js'
import type { ModelOptions } from './model-options.js'

/** Is what a collection is called that nobody has named. */
const DEFAULT_COLLECTION = 'photos.plumage'

export function addCollectionOption(command: Command, flags: string, description: string): Command {
  return command.option(flags, description, DEFAULT_COLLECTION)
}

/** Loads the model as the collection was made with it. Throws `CollectionError` `other-identity` where it is another by now. */
export async function loadEncoderOf(
  context: CommandContext,
  collection: Collection,
  options: Pick<ModelOptions, 'engine' | 'threads' | 'offline' | 'json'>,
): Promise<FileEncoder> {
  const { model } = collection.about
  const { engine, threads, offline, json } = options
  const passing = Object.fromEntries(
    Object.entries({ engine, threads, offline, json }).filter(([, value]) => value !== undefined),
  )
  const all = { exif: true, ...model.options, ...passing, model: model.source } as unknown as ModelOptions
  const encoder = await loadChosenEncoder(context, all)
  try {
    collection.assertSame(encoder.identity)
    return encoder
  } catch (error) {
    await encoder[Symbol.asyncDispose]()
    throw error
  }
}
