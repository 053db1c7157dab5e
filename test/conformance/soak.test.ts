/** Engines come and go with the encoders that own them: threads, files and memory are as before, in a process that nothing else keeps alive. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { nativeAvailability } from '../../src/platform/node/native/index.js'
import { GPU } from '../support/gpus.js'
import { LONG } from '../support/long.js'
import { MINI } from '../support/mini.js'

const TIMES = LONG ? 3 : 1

interface Seen {
  readonly threads: number
  readonly files: number
  readonly heapMegabytes: number
  readonly residentMegabytes: number
}

test.each([
  ['wasm', 10 * TIMES],
  ['reference', 5 * TIMES],
  ...(nativeAvailability().available ? ([['native', 12 * TIMES]] as const) : []),
  ...(GPU === null ? [] : ([['webgpu', 5 * TIMES]] as const)),
] as const)('%s: nothing is left of %i loads and disposals', async (engine, rounds) => {
  const trust = ['--import', './test/support/trust-gpu.mjs']
  const soak = ['test/support/soak-loads.mjs', engine, String(rounds), '--model', MINI]
  const args = [...trust, '--expose-gc', ...soak, ...(engine === 'webgpu' ? ['--encode-every', '0'] : [])]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const { early, late }: { early: Seen; late: Seen } = JSON.parse(stdout)
  expect(late.files).toBeLessThanOrEqual(early.files)
  expect(late.threads).toBeLessThanOrEqual(early.threads)
  // The packed weights alone are 21 MB a load.
  expect(late.heapMegabytes - early.heapMegabytes).toBeLessThan(30)
  expect(late.residentMegabytes - early.residentMegabytes).toBeLessThan(100)
})
