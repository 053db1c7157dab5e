/** Hands in what the sources of jobs are read with in Node: the disk, zlib, LanceDB and collections, the last two loaded with their first use. */
import { Readable } from 'node:stream'
import * as zlib from 'node:zlib'
import type { ParquetCompressors } from '../../../formats/read-parquet.js'
import type { FileKind } from '../../../image/image-format.js'
import { isAddress } from '../../../is-address.js'
import type { SourceWorld } from '../../../jobs/sources/source.js'
import type { Storage } from '../../../storage/storage.js'
import { NodeFiles } from '../files/node-files.js'
import { hasHeicDecoder } from '../heic/heic-decoder.js'
import { namedPlace } from '../storage/named-place.js'

/** Is what a source's world is made of. */
export interface SourceWorldParts {
  /** Is the folder where relative paths start. */
  readonly base: string
  /** Are the buckets and servers that may be read, by the beginning of their addresses: `s3://bucket`. */
  readonly storages: ReadonlyMap<string, Storage>
}

export function nodeSourceWorld({ base, storages }: SourceWorldParts): SourceWorld {
  const hasHeic = hasHeicDecoder()
  const files = new NodeFiles(base)
  const placeOf = (where: string) => (isAddress(where) ? where : files.resolve(where))
  return {
    files,
    storages,
    openPlace: async (address) => {
      const { openBucketOf, openWebFolderOf } = await import('../storage/object-address.js')
      const { storage, key } = await (namedPlace(address).kind === 'object' ? openBucketOf : openWebFolderOf)(
        address,
      )
      return [address.slice(0, -key.length - 1), storage]
    },
    decodes: ({ decoder }: FileKind) => decoder === 'own' || (decoder === 'optional' && hasHeic),
    gunzip,
    compressors: COMPRESSORS,
    openLance: async (where) => (await import('./lance-rows.js')).openLanceRows(placeOf(where)),
    collectionPhotos: async function* (where, signal) {
      const { collectionPhotos } = await import('./collection-photos.js')
      yield* collectionPhotos(placeOf(where), signal)
    },
  }
}

/** An error of the chunks is given on as it is. */
async function* gunzip(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = Readable.from(chunks)
  const unpacked = source.pipe(zlib.createGunzip())
  source.on('error', (error) => unpacked.destroy(error))
  try {
    yield* unpacked
  } finally {
    source.destroy()
    unpacked.destroy()
  }
}

/** Node has Zstandard from version 22.15 on. */
const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (bytes: Uint8Array) => Buffer }

/** Snappy is read without help. */
const COMPRESSORS: ParquetCompressors = {
  GZIP: (bytes, length) => unpacked(zlib.gunzipSync(bytes, { maxOutputLength: Math.max(1, length) })),
  BROTLI: (bytes, length) =>
    unpacked(zlib.brotliDecompressSync(bytes, { maxOutputLength: Math.max(1, length) })),
  ...(zstdDecompressSync === undefined
    ? {}
    : { ZSTD: (bytes: Uint8Array) => unpacked(zstdDecompressSync(bytes)) }),
}

function unpacked(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}
