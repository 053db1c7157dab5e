#!/usr/bin/env node
/** Hands the real world to the command line when the command starts. What is heavy is imported by the command that needs it. */
import { PlacedFiles } from '../platform/node/files/placed-files.js'
import { HEIC_ADVICE, hasHeicDecoder } from '../platform/node/heic/heic-decoder.js'
import { packageVersion } from '../platform/node/package-files.js'
import { canShow } from '../platform/node/picture/terminal/can-show.js'
import type { CommandContext } from './context.js'
import { EXIT, runCommandLine } from './run.js'

const isTTY = process.stderr.isTTY === true
const interrupt = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  // The listener stays: the second time it ends the process at once.
  process.on(name, () => {
    if (interrupt.signal.aborted) process.exit(EXIT.interrupted)
    if (isTTY) process.stderr.write('\nStopping; what is finished is kept. Once more to stop at once.\n')
    interrupt.abort(new Error(name))
  })
}

// Whoever reads the output may have seen enough, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

const context: CommandContext = {
  get stdin() {
    return process.stdin
  },
  stdout: process.stdout,
  stderr: process.stderr,
  isTTY,
  color: isTTY && !process.env.NO_COLOR && process.env.TERM !== 'dumb',
  cwd: process.cwd(),
  files: new PlacedFiles(process.cwd()),
  version: packageVersion(),
  heicAdvice: hasHeicDecoder() ? null : HEIC_ADVICE,
  signal: interrupt.signal,
  async loadEncoder(source, options) {
    const { loadEncoder } = await import('../platform/node/load-encoder.js')
    return loadEncoder(source, options)
  },
  async reducePhoto(source, options) {
    const { reducePhoto } = await import('../platform/node/reduce-photo.js')
    return reducePhoto(source, options)
  },
  async describeModel(source, options, onReading) {
    const { describeModel } = await import('../platform/node/describe-model.js')
    return describeModel(source, options, onReading)
  },
  async packModel(source, options) {
    const { packModel } = await import('../platform/node/pack-model.js')
    return packModel(source, options)
  },
  async convertModel(source, output, options) {
    const { convertModel } = await import('../platform/node/convert/convert-model.js')
    return convertModel(source, output, options)
  },
  async pullModel(model, options) {
    const { pullModel } = await import('../platform/node/hub/pull-model.js')
    return pullModel(model, options)
  },
  cached: {
    async list() {
      const { listCache } = await import('../platform/node/hub/cache-contents.js')
      return listCache()
    },
    async *verify(model, signal) {
      const { verifyCached } = await import('../platform/node/hub/cache-contents.js')
      yield* verifyCached(model, { signal })
    },
    async remove(model) {
      const { removeCached } = await import('../platform/node/hub/cache-contents.js')
      return removeCached(model)
    },
  },
  packedFiles: {
    async list() {
      const { listPacked } = await import('../platform/node/packed/packed-list.js')
      return listPacked()
    },
    async remove(files) {
      const { removePacked } = await import('../platform/node/packed/packed-list.js')
      return removePacked(files)
    },
  },
  async explainVector(photo, vector, options) {
    const { explainVector } = await import('../platform/node/explain-vector.js')
    return explainVector(photo, vector, options)
  },
  collections: {
    async has(place) {
      const { hasCollection } = await import('../platform/node/collection/open-collection.js')
      return hasCollection(place)
    },
    async open(place, options) {
      const { openCollection } = await import('../platform/node/collection/open-collection.js')
      return openCollection(place, options)
    },
    async openAll(places, options) {
      const { openCollections } = await import('../platform/node/collection/open-collections.js')
      return openCollections(places, options)
    },
    async create(place, settings, options) {
      const { createCollection } = await import('../platform/node/collection/open-collection.js')
      return createCollection(place, settings, options)
    },
  },
  pictures: {
    async decode(source, options) {
      const { decodeImage } = await import('../platform/node/decode-image.js')
      return decodeImage(source, options)
    },
    async reduce(image, side) {
      const { reducedWithin } = await import('../platform/node/picture/reduce-picture.js')
      return reducedWithin(image, { height: side, width: side })
    },
    async products() {
      const { createProducts } = await import('../platform/node/create-products.js')
      return createProducts()
    },
    async encode(image, format, told) {
      const { encodePicture } = await import('../platform/node/picture/picture-file.js')
      return encodePicture(image, format, told)
    },
    async assertTakes(path, options) {
      const { assertTakesPicture } = await import('../platform/node/picture/picture-file.js')
      return assertTakesPicture(path, options)
    },
    async bestModelOrNull(signal) {
      const { bestForPicturesOrNull } = await import('../platform/node/hub/best-for-pictures.js')
      return bestForPicturesOrNull(signal)
    },
    screen: canShow(process.stdout, process.env)
      ? {
          async show(image, signal) {
            const { showInTerminal } = await import('../platform/node/picture/terminal/show-in-terminal.js')
            await showInTerminal(image, {
              stdin: process.stdin,
              stdout: process.stdout,
              env: process.env,
              signal,
            })
          },
        }
      : null,
  },
  async measureSpeed(options) {
    const { measureSpeed } = await import('../platform/node/bench/measure-speed.js')
    return measureSpeed(options)
  },
  async verifyModel(model, options) {
    const { verifyModel } = await import('../platform/node/verify-model.js')
    return verifyModel(model, options)
  },
  async *verifyGoldens(folder, { engine: name, precision, ...options }) {
    const [{ chooseEngine }, { nativePrecisions }, { verifyGoldens }] = await Promise.all([
      import('../platform/node/choose-engine.js'),
      import('../platform/node/native/index.js'),
      import('../platform/node/verify-goldens.js'),
    ])
    // Activations are compared one by one where that is possible: narrower precisions only promise a cosine.
    const exact = name !== 'reference' && nativePrecisions().length > 0 ? 'float32' : 'auto'
    const choice = { ...(name === undefined ? {} : { engine: name }), precision: precision ?? exact }
    await using engine = (await chooseEngine(choice)).engine
    yield* verifyGoldens(folder, { ...options, engine })
  },
}

process.exitCode = await runCommandLine(process.argv.slice(2), context)
