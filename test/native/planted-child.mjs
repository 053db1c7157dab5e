/**
 * Lets the n-th memory, mapping, thread or call of Node-API fail for n = 1, 2, 3, ... through a whole life of an engine, until a life has no failure
 * left. Writes one line of JSON for each n: the errors, and the threads that are there afterwards.
 *
 *     PLUMAGE_NATIVE_ADDON=native/build/plumage-planted.node node test/native/planted-child.mjs memory
 */
import { readFileSync } from 'node:fs'
import { createNativeDigestOn } from '../../dist/engine/native/native-digest.js'
import { createNativeJpegOn } from '../../dist/engine/native/native-jpeg.js'
import { pillowPasses } from '../../dist/kernels/resample-pillow.js'
import { createNativeResample } from '../../dist/platform/node/native/index.js'
import { loadAddon } from '../../dist/platform/node/native/load-addon.js'
import { loadLibvips } from '../../dist/platform/node/sharp-decoder.js'
import {
  BATCH,
  checkOutputs,
  checkResize,
  engineOf,
  pixels,
  plan,
  threadCount,
  threadsLeft,
  weights,
} from './small-model.mjs'

const KINDS = ['memory', 'mapping', 'thread', 'call']
const kind = KINDS.indexOf(process.argv[2])
const addon = loadAddon()
const libvips = await loadLibvips((path) => addon.hasLibvips(path))
if (libvips === undefined) throw new Error('There is no libvips to decode with.')
// A quarter of it is enough, since it is decoded a thousand times.
const size = [133, 100]
const photo = {
  file: readFileSync(new URL('../../examples/photos/hat-1.jpg', import.meta.url)),
  shrink: 4,
  size,
  passes: pillowPasses(size, [6, 10], 'pillow-13'),
}

/** Calls once more where the first call threw, and expects no failure then: what has failed must not stand in the way of what comes. */
async function insist(call, errors) {
  try {
    return await call()
  } catch (error) {
    errors.push({ name: error.name, code: error.code ?? null, message: error.message })
    return await call()
  }
}

let levels
/** Throws unless the photo has the levels that it had the first time, when nothing failed. */
function checkPhoto(found) {
  levels ??= String(found)
  if (found?.length !== 180 || String(found) !== levels) throw new Error(`wrong levels: ${found}`)
}

async function live() {
  const errors = []
  const engine = await insist(() => engineOf(3), errors)
  const model = await insist(() => engine.load(plan, weights), errors)
  const program = await insist(() => model.compile(plan, ['y']), errors)
  await insist(() => program.activationBytes(BATCH), errors)
  checkOutputs(await insist(() => program.run(pixels, { batch: BATCH }), errors))
  checkOutputs(await insist(() => program.run(pixels, { batch: BATCH }), errors))
  const resample = await insist(() => createNativeResample(), errors)
  await insist(() => checkResize(resample), errors)
  const decode = await insist(() => createNativeJpegOn(addon, libvips), errors)
  checkPhoto(await insist(() => decode(photo), errors))
  const digest = await insist(() => createNativeDigestOn(addon), errors)
  await insist(() => digest(pixels), errors)
  await insist(() => program[Symbol.dispose](), errors)
  await insist(() => model[Symbol.dispose](), errors)
  await insist(() => engine[Symbol.asyncDispose](), errors)
  return errors
}

// Node starts threads of its own for the first resize.
await live()
const threads = threadCount()
for (let n = 1, met = true; met; n++) {
  addon.plantFailure(kind, n)
  const errors = await live()
  met = addon.failureMet()
  console.log(JSON.stringify({ n, met, errors, threads: await threadsLeft(threads) }))
}
