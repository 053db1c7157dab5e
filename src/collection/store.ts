/**
 * This is all that a collection asks of what keeps it: a table of rows whose every change is whole or not there, logs that grow line by line, and small files.
 * LanceDB in a folder is one such store (platform/node), the memory of a test or a page another; one contract holds for both.
 */
import type { Identity } from '../encoder/types.js'
import type { RowScorer, StoredRows } from '../numerics/nearest-rows.js'
import type { ProductOptions } from '../numerics/products.js'
import type { PlainRecord } from '../plain-value.js'
import type { CollectionColumn } from './columns.js'
import type { RowBlock } from './row-block.js'
import type { Condition } from './where/condition.js'

/** Says what a collection is. */
export interface About {
  /** Is the version of what stands here. */
  readonly format: 1
  /** Says what its embeddings rest on. */
  readonly identity: Identity
  /** Says how the encoder was loaded that made them: the model as it was named, and the options. */
  readonly model: {
    /** Is the model as it was named; empty where embeddings were imported, and nobody has said. */
    readonly source: string
    /** Holds the options as the command line has them. */
    readonly options: PlainRecord
  }
  /** Counts the numbers of an embedding, D. */
  readonly width: number
  /** Is how embeddings are stored. */
  readonly dtype: 'float16' | 'float32'
  /** Says where the folder of each root lies. */
  readonly roots: Readonly<Record<string, string>>
  /** Lists the columns beside those of every photo. */
  readonly columns: readonly CollectionColumn[]
  /** Is the rule by which the pixels of photos were digested; absent for the first one. */
  readonly digests?: number
  /** Says which frames of films are rows, and what made them, where there are any. */
  readonly films?: PlainRecord
  /** Says which rows of which job it holds, where it was made of one: its rows are those of a list, which may name a file twice and does not say when it was changed. */
  readonly job?: PlainRecord
}

/** Says which rows are wanted, and what of them. */
export interface ScanChoice {
  /** Names the columns; those of a photo, or the collection's own. */
  readonly columns: readonly string[]
  /** Asks for embeddings as well; default `false`. */
  readonly embeddings?: boolean
  /** Wants these rows only, which come in any order; default: all. */
  readonly ids?: readonly string[]
  /** Wants those rows only of which this is true; `parseWhere` makes it of what a person has written. Default: all. */
  readonly where?: Condition | undefined
  /** Ends the reading, which then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Grows line by line, each of which is JSON. */
export interface Log {
  /** Gives what was appended, oldest first. What a kill has cut off is not among it. Throws where it cannot be read. */
  read(): Promise<readonly PlainRecord[]>
  /** Adds entries; they survive a power cut when the promise resolves. Throws where they cannot be written. */
  append(entries: readonly PlainRecord[]): Promise<void>
  /** Replaces all of it at once. Throws as `append`. */
  replace(entries: readonly PlainRecord[]): Promise<void>
}

/** Holds the embeddings of all rows that have one. */
export interface StoredVectors {
  /** [N] Gives the row's id. */
  readonly ids: readonly string[]
  /** Are [N, D] together. */
  readonly blocks: readonly StoredRows[]
}

/** Says with what a store makes ready what searches read. */
export interface PrepareOptions {
  /** Finds what is exactly the nearest, beside which an index is measured. */
  readonly scorer: RowScorer
  /** Is told how an index does, when it was measured. */
  readonly onIndex?: ((index: IndexFigures) => void) | undefined
  /** Ends the work, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Says how well an index finds what is nearest. */
export interface IndexFigures {
  /** Is the share of the ten nearest that it finds, of 200 rows of the collection. */
  readonly recall: number
  /** Says how widely it looks: into how many of its parts, or with how many candidates. */
  readonly probes: number
  /** Says what is counted there. */
  readonly of: 'parts' | 'candidates'
}

/** Says how an index is asked. */
export interface ByIndexOptions extends ProductOptions {
  /** Finds those rows only of which this is true. Default: all. */
  readonly where?: Condition | undefined
}

/** Is a row that is near, and its cosine with what was looked for. */
export interface NearRow {
  /** Names the row. */
  readonly id: string
  /** Is the cosine. */
  readonly similarity: number
}

/** Keeps the rows of a collection. What it throws where it cannot read or write is its own: `FileError` on a disk. */
export interface CollectionStore extends AsyncDisposable {
  /** Names it for people: a path. */
  readonly label: string
  /** Says what the collection is. */
  readonly about: About
  /** Says whether it takes changes. */
  readonly isWritable: boolean
  /** Replaces what the collection is. Throws where it cannot be written. */
  setAbout(about: About): Promise<void>
  /** Changes with each change of rows. Throws where it cannot be read. */
  version(): Promise<number>
  /** Turns to the newest version, where the store is open for reading, and says whether it is another one. Throws where it cannot be read. */
  refresh(): Promise<boolean>
  /** Counts the rows. Throws where they cannot be read. */
  count(): Promise<number>
  /** Gives rows in blocks. The rows are those of one version, whatever is written meanwhile. Throws `CollectionError` `unknown-column`; the signal's reason. */
  scan(choice: ScanChoice): AsyncIterable<RowBlock>
  /** Adds rows with all columns and embeddings. Their ids must be new. Throws `CollectionError` `wrong-value`; where they cannot be written. */
  add(block: RowBlock): Promise<void>
  /** Replaces the rows that have these ids, with all columns and embeddings. Throws as `add`. */
  replace(block: RowBlock): Promise<void>
  /** Forgets rows; an id that is not there is no error. Throws where that cannot be written. */
  remove(ids: readonly string[]): Promise<void>
  /** Adds columns that have no value anywhere yet. Throws where that cannot be written. */
  addColumns(columns: readonly CollectionColumn[]): Promise<void>
  /** Gives a log by its name; one that was never written is empty. */
  log(name: LogName): Log
  /** Gives a small file; null where there is none. Throws RangeError for what is no plain name, such as `map.json`. */
  readFile(name: string): Promise<Uint8Array | null>
  /** Writes a small file, which appears whole or not at all; null removes it. Throws as `readFile`, and where it cannot be written. */
  writeFile(name: string, bytes: Uint8Array | null): Promise<void>
  /**
   * Makes ready what searches read, of the rows as they are now: it takes long where there are many, and is done after rows were changed. Throws where the store cannot be written; the
   * signal's reason.
   */
  prepare(options: PrepareOptions): Promise<void>
  /**
   * Takes over what searches read of an earlier version, whose embeddings are those of the rows as they are now: only other columns have changed since. Throws where
   * the store cannot be written.
   */
  carryVectors(version: number): Promise<void>
  /** Finds the nearest rows by an index, which may miss some; null where there is none. Throws where they cannot be read; the signal's reason. */
  nearestByIndex(
    query: Float32Array,
    count: number,
    options?: ByIndexOptions,
  ): Promise<readonly NearRow[] | null>
  /** Gives the embeddings of this version, for exact search. Throws where they cannot be read; the signal's reason. */
  vectors(options?: ProductOptions): Promise<StoredVectors>
  /**
   * Lets go of what `vectors` has opened or copied, which nobody looks through any more: it is opened anew when it is asked for again. Throws where a file cannot be closed.
   */
  forgetVectors(): Promise<void>
  /**
   * Puts together what has come in small pieces, and gives back what nobody reads any more: of earlier versions those that a reader has open stay, and with them
   * all of the last day. Throws where that cannot be written; the signal's reason.
   */
  compact(options?: CompactOptions): Promise<CompactReport>
  /** Says how it lies where it is kept. Throws where it cannot be read. */
  facts(): Promise<StoreFacts>
}

/** Says how a collection is compacted. */
export interface CompactOptions {
  /** Copies all rows into a table of its own, which takes the place of the one that is there; default `false`. */
  readonly rewrite?: boolean
  /** Ends the work, which then rejects with the signal's reason; all rows stay. */
  readonly signal?: AbortSignal
}

/** Says what compacting has left. */
export interface CompactReport {
  /** Counts the readers for whom earlier versions were kept. */
  readonly readers: number
}

/** Says how a collection lies where it is kept. */
export interface StoreFacts {
  /** Counts the states of the table that are kept. */
  readonly versions: number
  /** Counts the pieces of the table. */
  readonly fragments: number
  /** Names the indices. */
  readonly indices: readonly string[]
  /** Gives the bytes by what they are for: `rows`, `vectors`, `logs`, `others`. */
  readonly bytes: Readonly<Record<string, number>>
  /** Counts the processes that read it now. */
  readonly readers: number
}

/** Names the logs: changes of rows that wait to be folded in, what people have decided, and moves of files. */
export type LogName = 'changes' | 'decisions' | 'moves'
