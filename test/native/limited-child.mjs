/**
 * Runs an engine in a process whose threads the parent limits, step by step: it says what came of a step and waits for the parent's word before the next.
 */
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import {
  BATCH,
  checkOutputs,
  engineOf,
  pixels,
  plan,
  threadCount,
  threadsLeft,
  weights,
} from './small-model.mjs'

// Node starts the threads that read files at the first file, and ends the process where it can't: that is Node's, so it is done before.
await readFile(new URL(import.meta.url))

const engine = engineOf(4)
async function loadAndRun() {
  const model = await engine.load(plan, weights)
  try {
    const program = model.compile(plan, ['y'])
    checkOutputs(await program.run(pixels, { batch: BATCH }))
    return null
  } catch (error) {
    return error
  } finally {
    model[Symbol.dispose]()
  }
}

const threads = threadCount()
console.log(JSON.stringify({ pid: process.pid, threads }))
for await (const _ of createInterface({ input: process.stdin })) {
  const error = await loadAndRun().catch((problem) => problem)
  // Where the pool did not start, its threads end again, and count until they have; the engine's own may stay.
  if (error !== null) await threadsLeft(threads + 1)
  const { code = null, message = null } = error ?? {}
  console.log(JSON.stringify({ code, message, more: threadCount() - threads }))
}
await engine[Symbol.asyncDispose]()
