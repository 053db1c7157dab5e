/** Runs the command line inside the test's own process, on real files in a folder of its own, with the stand-in for an encoder. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import type { CommandContext } from '../../src/cli/context.js'
import { runCommandLine } from '../../src/cli/run.js'
import {
  createCollection,
  hasCollection,
  openCollection,
} from '../../src/platform/node/collection/open-collection.js'
import { openCollections } from '../../src/platform/node/collection/open-collections.js'
import { createProducts } from '../../src/platform/node/create-products.js'
import { decodeImage } from '../../src/platform/node/decode-image.js'
import { PlacedFiles } from '../../src/platform/node/files/placed-files.js'
import { assertTakesPicture, encodePicture } from '../../src/platform/node/picture/picture-file.js'
import { reducedWithin } from '../../src/platform/node/picture/reduce-picture.js'
import { type StandInOptions, standInEncoder } from './stand-in-encoder.mjs'

export interface Folder extends Disposable {
  readonly path: string
}

/** A new folder with these files; a file's text is its name unless given. */
export function folderWith(files: readonly string[] | Readonly<Record<string, string>> = []): Folder {
  const path = mkdtempSync(join(tmpdir(), 'plumage-cli-'))
  const entries = Array.isArray(files) ? files.map((name) => [name, name]) : Object.entries(files)
  for (const [name, text] of entries) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), text)
  }
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface InTestOptions extends Partial<CommandContext> {
  readonly cwd: string
  readonly input?: string
  readonly encoder?: StandInOptions
}

export async function runInTest(args: readonly string[], options: InTestOptions): Promise<Outcome> {
  const { input = '', encoder = {}, ...context } = options
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const texts = [stdout, stderr].map(async (stream) => {
    let text = ''
    for await (const chunk of stream) text += chunk
    return text
  })
  const code = await runCommandLine(args, {
    stdin: Readable.from([Buffer.from(input)]),
    stdout,
    stderr,
    isTTY: false,
    color: false,
    version: '1.2.3',
    files: new PlacedFiles(options.cwd),
    signal: new AbortController().signal,
    loadEncoder: async () => standInEncoder(encoder),
    heicAdvice: 'Ask for a decoder.',
    reducePhoto: async () => ({ height: 20, width: 30, jpeg: Uint8Array.of(0xff, 0xd8, 0xff, 0xd9) }),
    describeModel: () => Promise.reject(new Error('no description in this test')),
    packModel: () => Promise.reject(new Error('nothing is packed in this test')),
    convertModel: () => Promise.reject(new Error('nothing is converted in this test')),
    pullModel: () => Promise.reject(new Error('nothing is pulled in this test')),
    cached: { list: async () => [], verify: async function* () {}, remove: async () => {} },
    packedFiles: { list: async () => [], remove: async () => {} },
    collections: {
      has: hasCollection,
      open: openCollection,
      openAll: openCollections,
      create: createCollection,
    },
    pictures: {
      decode: (source, options) => decodeImage(source, options),
      reduce: (image, side) => reducedWithin(image, { height: side, width: side }),
      products: async () => createProducts(),
      encode: (image, format, told) => encodePicture(image, format, told),
      assertTakes: (path, choice) => assertTakesPicture(path, choice),
      bestModelOrNull: async () => null,
      screen: null,
    },
    explainVector: () => Promise.reject(new Error('nothing is explained in this test')),
    measureSpeed: () => Promise.reject(new Error('nothing is measured in this test')),
    verifyModel: () => Promise.reject(new Error('no model is tried in this test')),
    verifyGoldens: async function* () {},
    ...context,
  })
  stdout.end()
  stderr.end()
  const [out, err] = await Promise.all(texts)
  return { code, stdout: out, stderr: err }
}
