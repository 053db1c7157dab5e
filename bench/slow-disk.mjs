/**
 * Measures what a slow disk costs a run: `encodeAll` with a stand-in for the engine, which computes for a while, and files that take a while to be read and to
 * be decoded, so that nothing but the pipeline itself is measured and other work on the machine hardly matters. Prints a table in Markdown.
 *
 *     node bench/slow-disk.mjs [--computing 25] [--decoding 5] [--reading 0,5,20,50,100] [--images 300]
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { dist } from './dist.mjs'

const { values: options } = parseArgs({
  options: {
    /** These are milliseconds an image. */
    computing: { type: 'string', default: '25' },
    decoding: { type: 'string', default: '5' },
    reading: { type: 'string', default: '0,5,20,50,100' },
    images: { type: 'string', default: '300' },
  },
})
const [computing, decoding, images] = [options.computing, options.decoding, options.images].map(Number)
const { encodeAll } = await dist('encoder/encode-all.js')

console.log(`${computing} ms computing and ${decoding} ms decoding an image, one image a run\n`)
console.log('| reading a file, ms | images/s | computing | decoding | reading |')
console.log('| --- | --- | --- | --- | --- |')
for (const reading of options.reading.split(',').map(Number)) {
  let engine = Promise.resolve()
  const stages = {
    batchSize: () => 1,
    decoders: 2,
    readsAhead: true,
    async prepare(_source, _signal, onRead) {
      await sleep(reading)
      await onRead()
      await sleep(decoding)
      return { shape: '', byteLength: 1 }
    },
    async compute(batch) {
      // Runs wait for each other, as those of an engine do.
      engine = engine.then(() => sleep(computing))
      await engine
      return batch.map(() => ({}))
    },
  }
  let seconds = {}
  const begun = performance.now()
  const sources = Array.from({ length: images }, (_, i) => i)
  const onProgress = (progress) => {
    seconds = progress.seconds
  }
  for await (const { error } of encodeAll(sources, stages, { onProgress })) if (error) throw error
  const rate = images / ((performance.now() - begun) / 1000)
  const all = Object.values(seconds).reduce((sum, one) => sum + one, 0)
  const shares = ['computing', 'decoding', 'reading'].map(
    (what) => `${Math.round((100 * seconds[what]) / all)} %`,
  )
  console.log(`| ${[reading, rate.toFixed(1), ...shares].join(' | ')} |`)
}
