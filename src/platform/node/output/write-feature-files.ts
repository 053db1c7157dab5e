/** Images in, a folder with one feature file each out; resumable image by image. */
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { EncodeAllOptions, Features } from '../../../encoder/types.js'
import { type InputFile, lookAt } from '../input/look-at.js'
import { FeatureFolder, type FeatureFormat } from './feature-folder.js'
import type { FileEncoder } from './file-encoder.js'
import { explainWriteError, OutputError } from './output-error.js'
import { lockOutput } from './output-lock.js'
import { workIdentity } from './work-identity.js'
import type { ResumableListener } from './write-resumably.js'
import type { NamedArray } from './write-safetensors.js'

export interface FeatureFilesOptions {
  readonly folder: string
  readonly format: FeatureFormat
  readonly paths: readonly string[]
  readonly cwd: string
  readonly encoder: FileEncoder
  /** What goes into an image's file; `npy` takes the first. */
  readonly arraysOf: (features: Features) => readonly NamedArray[]
  /** Names what `arraysOf` gives, as a part of the work's identity. */
  readonly what: string
  readonly restart?: boolean
  readonly encode?: Omit<EncodeAllOptions, 'signal' | 'order'>
  readonly listener?: ResumableListener
  readonly signal?: AbortSignal
}

export interface FeatureFilesResult {
  /** Files that this run wrote. */
  readonly written: number
  /** Files that were there already. */
  readonly earlier: number
  readonly failed: number
}

/** Throws `OutputError`; an abort throws the signal's reason. */
export async function writeFeatureFiles(options: FeatureFilesOptions): Promise<FeatureFilesResult> {
  const { encoder, what, format, encode, signal } = options
  await mkdir(options.folder, { recursive: true }).catch((error) => {
    throw explainWriteError(error, options.folder)
  })
  await using _lock = await lockOutput(resolve(options.folder))
  const identity = { ...workIdentity(encoder.identity, what), format }
  await using folder = await FeatureFolder.open(options.folder, format, identity, options.restart ?? false)
  const underWay = new Map<number, InputFile>()
  const count = { written: 0, earlier: 0, failed: 0 }
  const fail = (path: string, error: Error) => {
    count.failed++
    options.listener?.failed?.({ path, reason: error.message })
  }
  const sources = missing(options, folder, underWay, count, fail)
  for await (const { index, features, error } of encoder.encodeAll(sources, {
    ...encode,
    ...(signal ? { signal } : {}),
  })) {
    const input = underWay.get(index)
    underWay.delete(index)
    if (input === undefined)
      throw new Error(`the encoder answered for image ${index}, which it was not given`)
    if (features === undefined) {
      fail(input.path, error)
      continue
    }
    try {
      const [height, width] = features.imageSize
      await folder.add({ ...input, height, width, ...features.grid }, options.arraysOf(features))
      count.written++
      options.listener?.done?.(input.path, false)
    } catch (problem) {
      // A disk that is full will not take the next image either.
      if (problem instanceof OutputError || !(problem instanceof Error)) throw problem
      fail(input.path, problem)
    }
  }
  signal?.throwIfAborted()
  return count
}

async function* missing(
  { paths, cwd, listener, signal }: FeatureFilesOptions,
  folder: FeatureFolder,
  underWay: Map<number, InputFile>,
  count: { earlier: number },
  fail: (path: string, error: Error) => void,
): AsyncGenerator<string> {
  let index = 0
  for (const path of paths) {
    signal?.throwIfAborted()
    const input = await lookAt(path, cwd)
    if (input instanceof Error) fail(path, input)
    else if (await folder.has(input)) {
      count.earlier++
      listener?.done?.(path, true)
    } else {
      underWay.set(index++, input)
      yield resolve(cwd, path)
    }
  }
}
