/** Says what a source of a job is: where rows come from, and what is handed in to read it. */
import type { ParquetCompressors } from '../../formats/read-parquet.js'
import type { Storage } from '../../storage/storage.js'
import type { Files } from '../../work/files.js'
import type { FolderWalkOptions } from '../../work/folder-walk.js'
import type { LeftOut } from '../../work/left-out.js'
import type { SourceRow } from '../row.js'

/** Names the kinds of sources, as `--source-kind` does. */
export const SOURCE_KINDS = [
  'list',
  'csv',
  'json-lines',
  'parquet',
  'lance',
  'folder',
  'objects',
  'inventory',
  'shards',
  'collection',
] as const

export type SourceKind = (typeof SOURCE_KINDS)[number]

/** Is where the rows of a job come from. */
export interface JobSource {
  readonly kind: SourceKind
  /** Names it for people, without a secret. */
  readonly label: string
  /** Is the folder that the names of rows start from, where they are no addresses and no whole paths. */
  readonly base: string
  /** Counts the rows, where that is known before they are read. */
  readonly total?: number
  /** Counts what was passed over, by kind, once the rows have been read. */
  readonly leftOut: LeftOut
  /**
   * Yields the rows in blocks, in an order that stays; what repeats is repeated. Memory does not grow with their number. Throws `SourceError`; what storage throws;
   * the signal's reason.
   */
  rows(signal?: AbortSignal): RowBatches
}

/** Says how a source is read. */
export interface SourceOptions {
  /** Says what it is, where that is not clear by what is there. */
  readonly kind?: SourceKind | undefined
  /** Names the column with addresses or paths of a table; default: the one that is called as such columns are. */
  readonly column?: string | undefined
  /** Ends each line of a list; default a line break. */
  readonly separator?: '\n' | '\0' | undefined
  /** Takes the objects below a prefix whatever their names end in; default: those that are called images. */
  readonly takesAll?: boolean | undefined
  /** Is an address, of mail or of a page, under which whoever runs this job can be reached; without one no row may lead to a web server. */
  readonly contact?: string | undefined
  /**
   * Is told of a part of the source that cannot be read, whose other parts are then read on; unless given, the first one throws: what is missing must not go
   * unnoticed.
   */
  readonly onTrouble?: ((trouble: SourceTrouble) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Is a part of a source that cannot be read, or not to its end. */
export interface SourceTrouble {
  /** Names the shard, file or folder. */
  readonly label: string
  readonly reason: string
}

/** Is a table of a Lance dataset. */
export interface LanceRows extends AsyncDisposable {
  readonly columns: readonly string[]
  readonly rows: number
  /** Yields some rows at a time: the values of a column, and what names each row for good. */
  read(
    column: string,
    signal?: AbortSignal,
  ): AsyncIterable<{ readonly ids: readonly string[]; readonly values: readonly unknown[] }>
}

/** Is a photo of a collection. */
export interface CollectionPhoto {
  readonly id: string
  /** Is a path or an address, or the member of a shard; of what is neither it says as what it is left out, as `frame of a film`. */
  readonly path: string | ShardMember | { readonly leftOutAs: string }
}

/** Is a member of a tar, as a job that has become a collection knew it. */
export interface ShardMember {
  /** Is the path or the address of the tar as it lies now. */
  readonly shard: string
  /** Counts the members before it. */
  readonly number: number
  readonly name: string
}

/** Is what sources are read with, which a platform hands in. Tables of Lance and collections are named by a path or an address. */
export interface SourceWorld {
  readonly files: Files
  /** Are the buckets and servers that may be read, by the beginning of their addresses: `s3://bucket`. */
  readonly storages: ReadonlyMap<string, Storage>
  /** Opens the place of an object that lies in none of these, and says which addresses begin so. */
  readonly openPlace: (address: string) => Promise<readonly [base: string, storage: Storage]>
  /** Tells whether a file of this kind can be decoded. */
  readonly decodes: FolderWalkOptions['decodes']
  /** Unpacks gzip; throws where it is damaged or cut off. */
  readonly gunzip: (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>
  readonly compressors: ParquetCompressors
  readonly openLance: (where: string) => Promise<LanceRows>
  readonly collectionPhotos: (
    where: string,
    signal?: AbortSignal,
  ) => AsyncIterable<readonly CollectionPhoto[]>
}

/** Yields rows many at a time, which costs less than one by one. */
export type RowBatches = AsyncIterable<readonly SourceRow[]>

/** Is what the readers of all kinds are given. */
export interface SourceReading {
  readonly world: SourceWorld
  readonly options: SourceOptions
  readonly leftOut: LeftOut
}
