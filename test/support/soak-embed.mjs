/**
 * Embeds very many stand-in images and tells how much memory that takes: in between, and at the end. The images are names without files, which
 * the disk below is made to have; all that is written is real.
 *
 *     node --expose-gc test/support/soak-embed.mjs [--images 1000000] [--format npy] [--list]
 *
 * With `--list` the names come on stdin and the rows go to stdout, which nobody keeps.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { parseArgs } from 'node:util'
import { runCommandLine } from '../../dist/cli/run.js'
import { NodeFiles } from '../../dist/platform/node/files/node-files.js'
import { standInEncoder } from '../cli/stand-in-encoder.mjs'

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '1000000' },
    format: { type: 'string', default: 'npy' },
    list: { type: 'boolean', default: false },
  },
})
const images = Number(values.images)
const FOLDERS = 1000
const perFolder = Math.ceil(images / FOLDERS)
/** Numbers as text take time: a list has few. */
const WIDTH = values.list ? 8 : 384

/** Has folders `photos/0` to `photos/999` full of images that nobody has made. */
class Made extends NodeFiles {
  async look(path) {
    const match = /photos(?:\/(\d+)(?:\/(\d+)\.jpg)?)?$/.exec(path)
    if (match === null) return super.look(path)
    const [, folder, name] = match
    const kind = name === undefined ? 'folder' : 'file'
    return { kind, size: 1000, mtimeMs: 1, id: `made:${folder ?? ''}/${name ?? ''}` }
  }

  async list(path) {
    if (/photos$/.test(path))
      return Array.from({ length: FOLDERS }, (_, i) => ({ name: `${i}`, kind: 'folder' }))
    return Array.from({ length: perFolder }, (_, i) => ({ name: `${i}.jpg`, kind: 'file' }))
  }
}

/** Gives every image numbers, without reading any. */
function encoder() {
  const embedding = new Float32Array(WIDTH).map((_, i) => Math.sin(i))
  const base = standInEncoder()
  return {
    ...base,
    width: WIDTH,
    embedding: 'class',
    embeddingWidth: WIDTH,
    labels: null,
    classes: null,
    async *encodeAll(sources) {
      let index = 0
      for await (const source of sources) {
        embedding[0] = index
        yield { index: index++, source, features: { embedding, imageSize: [3, 4] } }
        if (index % Math.ceil(images / 10) === 0) tell(`${index} images`)
      }
    },
  }
}

function tell(what) {
  globalThis.gc?.()
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage()
  const megabytes = (bytes) => `${Math.round(bytes / 2 ** 20)} MB`
  const seconds = ((performance.now() - begun) / 1000).toFixed(0)
  console.error(
    `${what}: rss ${megabytes(rss)}, heap ${megabytes(heapUsed)}, buffers ${megabytes(arrayBuffers)}, ${seconds} s`,
  )
}

async function* names() {
  for (let folder = 0; folder < FOLDERS; folder++) {
    yield Buffer.from(Array.from({ length: perFolder }, (_, i) => `photos/${folder}/${i}.jpg\n`).join(''))
  }
}

const begun = performance.now()
const folder = mkdtempSync(join(tmpdir(), 'plumage-soak-'))
try {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const args = values.list ? ['embed', '-'] : ['embed', 'photos', '-o', `x.${values.format}`]
  for (const time of values.list ? ['once'] : ['first', 'again, when all is done']) {
    tell(time)
    const code = await runCommandLine(args, {
      stdin: Readable.from(names()),
      stdout: nowhere,
      stderr: process.stderr,
      isTTY: false,
      color: false,
      cwd: folder,
      files: new Made(folder),
      version: '0.0.0',
      signal: new AbortController().signal,
      loadEncoder: async () => encoder(),
    })
    tell(`exit code ${code}`)
    if (code !== 0) process.exitCode = 1
  }
} finally {
  rmSync(folder, { recursive: true })
}
