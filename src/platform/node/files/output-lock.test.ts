import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockOutput } from './output-lock.js'

let output: string
beforeEach(() => {
  output = join(mkdtempSync(join(tmpdir(), 'plumage-lock-')), 'x.csv')
})
afterEach(() => rmSync(join(output, '..'), { recursive: true }))

const held = (holder: object) => writeFileSync(`${output}.lock`, JSON.stringify(holder))

test('a second holder is refused until the first lets go', async () => {
  const first = await lockOutput(output)
  await expect(lockOutput(output)).rejects.toMatchObject({
    code: 'locked',
    message: expect.stringContaining(`process ${process.pid}`),
  })
  await first[Symbol.asyncDispose]()
  expect(existsSync(`${output}.lock`)).toBe(false)
  await (await lockOutput(output))[Symbol.asyncDispose]()
})

test('the lock of a process that was killed is taken over at once', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  held({ pid: child.pid, host: hostname(), started: null })
  await expect(lockOutput(output)).rejects.toMatchObject({ code: 'locked' })
  child.kill('SIGKILL')
  await once(child, 'exit')
  const begun = performance.now()
  await using _lock = await lockOutput(output)
  expect(performance.now() - begun).toBeLessThan(1000)
  expect(JSON.parse(readFileSync(`${output}.lock`, 'utf8')).pid).toBe(process.pid)
})

test.skipIf(!existsSync('/proc/self/stat'))(
  'a process number that is used again is not taken for the holder',
  async () => {
    held({ pid: process.pid, host: hostname(), started: '1' })
    await (await lockOutput(output))[Symbol.asyncDispose]()
  },
)

test('a holder on another host cannot be looked at and so is believed', async () => {
  held({ pid: 999999, host: 'elsewhere', started: null })
  await expect(lockOutput(output)).rejects.toThrow(/process 999999 on elsewhere.*delete .*x\.csv\.lock/)
})

test('a lock file that a kill has cut off keeps nobody out', async () => {
  writeFileSync(`${output}.lock`, '{"pid":')
  await (await lockOutput(output))[Symbol.asyncDispose]()
})

test('of many that come at once, exactly one gets it', async () => {
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockOutput(output)))
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
})
