/** Holds a plan of two steps, small enough to be run thousands of times, with its weights and a resize: tests of the native engine's lifetimes run it. */
import { readdirSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { createNativeEngineOn } from '../../dist/engine/native/native-engine.js'
import { pillowPasses } from '../../dist/kernels/resample-pillow.js'
import { loadAddon } from '../../dist/platform/node/native/load-addon.js'

/** [4, 32] becomes [4, 40] by a linear layer and GELU; all values of an output row are equal. */
export const plan = {
  inputs: [{ kind: 'pixels', slot: 'x' }],
  slots: new Map([
    ['x', [4, 32]],
    ['hidden', [4, 40]],
    ['y', [4, 40]],
  ]),
  steps: [
    { op: 'linear', input: 'x', output: 'hidden', weight: 'w', bias: 'b' },
    { op: 'activation', input: 'hidden', output: 'y', kind: 'relu' },
  ],
  weights: new Map([
    ['w', [40, 32]],
    ['b', [40]],
  ]),
  constants: new Map(),
}

export const weights = {
  read: async (_name, shape) => new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5),
}

/** Makes an engine of so many threads, however few cores there are: no more than these are started else, and tests want them to be in each other's way. */
export function engineOf(threads) {
  const addon = loadAddon()
  const info = () => ({ ...addon.info(), cores: threads })
  return createNativeEngineOn(Object.create(addon, { info: { value: info } }), { threads })
}

export const BATCH = 8
export const pixels = new Float32Array(BATCH * 4 * 32).fill(0.25)

/** Throws unless the outputs of `pixels` are right: 32 products of a half and a quarter, and a half. */
export function checkOutputs(outputs) {
  const values = outputs.get('y')
  if (values.length !== BATCH * 4 * 40 || !values.every((value) => value === 4.5)) {
    throw new Error(`wrong numbers: ${values.slice(0, 4)} ...`)
  }
}

const SIDE = 8
/** Resizes a grey image with the function given; throws unless it is grey afterwards. */
export async function checkResize(resample) {
  const passes = pillowPasses([SIDE, SIDE], [3, 5], 'pillow-13')
  const image = await resample(new Uint8Array(SIDE * SIDE * 3).fill(77), [SIDE, SIDE], passes)
  if (image.length !== 45 || !image.every((level) => level === 77)) throw new Error(`wrong levels: ${image}`)
}

/** Counts the threads of this process, as Linux tells. One that has ended is listed for a moment more. */
export function threadCount() {
  return readdirSync('/proc/self/task').length
}

/** Counts the threads beyond `before`, when those that are ending have gone. */
export async function threadsLeft(before) {
  for (let turn = 0; turn < 500 && threadCount() > before; turn++) await wait(2)
  return threadCount() - before
}
