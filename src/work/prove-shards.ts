/**
 * Proves that outputs are the shards of one work: each falls where its rows say, none is there twice or missing, and together they have every image of the inputs that
 * all of them saw. Only names are read for it, and of one shard at a time a number for each row is in memory.
 */
import { jsonText } from '../formats/json-text.js'
import { isRecord, type PlainRecord, parseJsonOrNull } from '../plain-value.js'
import type { Failure, Files } from './files.js'
import {
  defaultColumns,
  digestOf,
  failuresPath,
  inputsPath,
  isAsFinished,
  type Meta,
  metaOrNull,
  metaPath,
  readEntries,
} from './finished-output.js'
import { hasFields } from './json-object.js'
import { OutputError } from './output-error.js'
import type { PartEntry } from './part-file.js'
import { readLines } from './read-lines.js'
import {
  hashName,
  type Names,
  NamesSum,
  parseShard,
  type Shard,
  shardOf,
  shardText,
  sharedName,
} from './shard.js'
import { differingWork } from './work-identity.js'

/** Is an output that says whose shard it is. */
export interface ShardOutput {
  readonly path: string
  readonly meta: Meta
  readonly shard: Shard
  /** Sums up the inputs of all shards, as this one saw them. */
  readonly source: Names
}

/** Is what the shards are together. */
export interface ProvenShards {
  /** Are in the order of their numbers. */
  readonly shards: readonly ShardOutput[]
  /** Names those that are not there. */
  readonly missing: readonly Shard[]
  /** Sums up the names of the rows. */
  readonly rows: Names
  /** Counts the images and films that all shards were of. */
  readonly inputs: number
  /** Counts what failed. */
  readonly failed: number
}

export interface ProveOptions {
  readonly files: Files
  readonly signal?: AbortSignal
}

/** Throws `OutputError`; the signal's reason. */
export async function proveShards(paths: readonly string[], options: ProveOptions): Promise<ProvenShards> {
  const opened: ShardOutput[] = []
  for (const path of paths) {
    options.signal?.throwIfAborted()
    opened.push(await openShard(path, options.files))
  }
  const [first, ...others] = opened
  if (first === undefined)
    throw new OutputError('incomplete', 'There is no output to join: name those of all shards.')
  for (const other of others) assertAlike(first, other)
  const shards = opened.sort((a, b) => a.shard.index - b.shard.index || a.shard.of - b.shard.of)
  const missing = missingShards(shards)
  const proof = { rows: new NamesSum(), covered: new NamesSum(), failed: 0 }
  for (const shard of shards) await addShard(proof, shard, options)
  const { rows, covered, failed } = proof
  const { source } = first
  if (missing.length === 0 && (covered.count !== source.count || covered.sum !== source.sum))
    throw new OutputError(
      'damaged',
      `The shards have rows or failures of ${covered.count} images, which are not the ${source.count} that they were of. Run them again with --restart.`,
    )
  return { shards, missing, rows: { count: rows.count, sum: rows.sum }, inputs: source.count, failed }
}

async function openShard(path: string, files: Files): Promise<ShardOutput> {
  if ((await files.look(path)) === null) throw await notThere(path, files)
  const meta = await metaOrNull(files, path)
  if (meta === null)
    throw new OutputError(
      'no-shard',
      `${path} cannot be joined, since nothing beside it says what made it: expected ${metaPath(path)} and ${inputsPath(path)}, which plumage embed --shard --output writes.`,
    )
  if (!(await isAsFinished(files, path, meta)))
    throw new OutputError(
      'damaged',
      `${path} has changed since it was finished. Run its shard again with --restart.`,
    )
  const { identity, source } = meta
  if (typeof identity.shard !== 'string' || source === null)
    throw new OutputError(
      'no-shard',
      `${path} is no shard: it was written without --shard, and so nothing can be proven of it.`,
    )
  return { path, meta, shard: shardIn(path, identity.shard), source }
}

async function notThere(path: string, files: Files): Promise<OutputError> {
  const isUnderWay = (await files.look(`${path}.parts`)) !== null
  return new OutputError(
    'incomplete',
    `${path} is not there${isUnderWay ? ', but work on it is under way: run its shard again to finish it' : ` (looked in ${files.base})`}.`,
  )
}

function shardIn(path: string, text: string): Shard {
  try {
    return parseShard(text)
  } catch (cause) {
    throw new OutputError('damaged', `${metaPath(path)} names a shard ${text}, which cannot be.`, { cause })
  }
}

function assertAlike(first: ShardOutput, other: ShardOutput): void {
  const differing = differingWork(workOf(other), workOf(first))
  if (differing !== null)
    throw new OutputError(
      'other-identity',
      `${other.path} was made with ${differing.found}; ${first.path} with ${differing.expected}. Only what is alike can be joined.`,
    )
  const { source, path } = other
  if (source.count === first.source.count && source.sum === first.source.sum) return
  throw new OutputError(
    'other-inputs',
    `${path} is a shard of ${source.count} inputs, ${first.path} of ${first.source.count}, and ${source.count === first.source.count ? 'not of the same' : 'so not of the same inputs'}. ` +
      'Each machine must be given the same list in the same words; run again those that saw another one.',
  )
}

/** Is all that must be equal: a shard may have another format, but no columns of its own. */
function workOf({ meta: { identity, shape, format, columns } }: ShardOutput): PlainRecord {
  const { shard: _shard, ...work } = identity
  return { ...work, shape: shape.join(' x '), columns: columnsText(format, columns) }
}

function columnsText(format: Meta['format'], columns: Meta['columns']): string {
  const isDefault = jsonText(columns) === jsonText(defaultColumns(format))
  return isDefault || columns === null
    ? 'as they are by default'
    : columns.map(({ name, holds }) => (name === holds ? name : `${name}=${holds}`)).join(',')
}

/** Throws where two hold the same; of several numbers of shards the others must divide the largest. */
function missingShards(shards: readonly ShardOutput[]): readonly Shard[] {
  const of = Math.max(...shards.map(({ shard }) => shard.of))
  const holders: (ShardOutput | undefined)[] = Array.from({ length: of })
  for (const one of shards) {
    if (of % one.shard.of !== 0)
      throw new OutputError(
        'other-inputs',
        `${one.path} is shard ${shardText(one.shard)}, and another is one of ${of}, which is no multiple of ${one.shard.of}: they overlap.`,
      )
    for (let index = one.shard.index; index < of; index += one.shard.of) {
      const other = holders[index]
      if (other !== undefined)
        throw new OutputError(
          'other-inputs',
          `${other.path} (shard ${shardText(other.shard)}) and ${one.path} (shard ${shardText(one.shard)}) have the same images. Leave one of them out.`,
        )
      holders[index] = one
    }
  }
  return holders.flatMap((holder, index) => (holder === undefined ? [{ index, of }] : []))
}

interface Proof {
  readonly rows: NamesSum
  /** Sums up the inputs that have a row or have failed. */
  readonly covered: NamesSum
  failed: number
}

async function addShard(proof: Proof, one: ShardOutput, { files, signal }: ProveOptions): Promise<void> {
  const { path, meta } = one
  const failed = await failedNames(one, files)
  proof.failed += failed.count
  const rows = new NamesSum()
  const hashes = new Float64Array(meta.rows)
  const films = new Set<string>()
  for await (const entry of readEntries(files, path)) {
    signal?.throwIfAborted()
    const hash = hashName(entry.path)
    hashes[rows.count] = hash.short
    rows.add(hash)
    const name = sharedName(entry.path)
    const isFrame = name !== entry.path
    const shared = isFrame ? hashName(name) : hash
    if (shardOf(shared, one.shard.of) !== one.shard.index) throw misplaced(one, entry)
    failed.names.delete(name)
    if (!isFrame || !films.has(name)) proof.covered.add(shared)
    if (isFrame) films.add(name)
  }
  if (
    rows.count !== meta.rows ||
    rows.sum !== meta.sum ||
    (await digestOf(files, [inputsPath(path)])) !== meta.listed
  )
    throw new OutputError(
      'damaged',
      `${inputsPath(path)} has changed since ${path} was finished. Run its shard again with --restart.`,
    )
  await assertOnce(files, path, hashes, signal)
  for (const name of failed.names) proof.covered.add(hashName(name))
  proof.rows.addAll(rows)
}

function misplaced({ path, shard }: ShardOutput, entry: PartEntry): OutputError {
  const index = shardOf(hashName(sharedName(entry.path)), shard.of)
  return new OutputError(
    'other-inputs',
    `${path} is shard ${shardText(shard)} and has a row of ${entry.path}, which belongs to shard ${shardText({ index, of: shard.of })}.`,
  )
}

/** Two names may share 48 bits: only those that do are compared. */
async function assertOnce(
  files: Files,
  path: string,
  hashes: Float64Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  hashes.sort()
  const shared = new Set(hashes.filter((hash, index) => hash === hashes[index + 1]))
  if (shared.size === 0) return
  const seen = new Set<string>()
  for await (const { path: name } of readEntries(files, path)) {
    signal?.throwIfAborted()
    if (!shared.has(hashName(name).short)) continue
    if (seen.has(name)) throw new OutputError('other-inputs', `${path} has two rows of ${name}.`)
    seen.add(name)
  }
}

/** Gives the names of the inputs that failed, each once, and counts what failed of them. */
async function failedNames(
  { path, meta }: ShardOutput,
  files: Files,
): Promise<{ readonly names: Set<string>; readonly count: number }> {
  const names = new Set<string>()
  let count = 0
  if (meta.failed === 0) return { names, count }
  for await (const { path: name } of readFailures(files, path)) {
    names.add(sharedName(name))
    count++
  }
  if (count === meta.failed) return { names, count }
  throw new OutputError(
    'damaged',
    `${failuresPath(path)} names ${count} images, and ${meta.failed} of ${path} have failed. Run its shard again.`,
  )
}

/** Reads what failed of an output; of one without failures there is no such list. */
export async function* readFailures(files: Files, output: string): AsyncGenerator<Failure> {
  const path = failuresPath(output)
  if ((await files.look(path)) === null) return
  await using file = await files.open(path)
  for await (const line of readLines(file)) {
    const found = parseJsonOrNull(line)
    if (!isRecord(found) || !hasFields(found, ['path', 'error'], []))
      throw new OutputError('damaged', `${path} has a line that names no failure. Run its shard again.`)
    yield { path: String(found.path), reason: String(found.error) }
  }
}
