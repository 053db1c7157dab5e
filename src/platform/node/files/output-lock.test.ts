import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Heartbeat } from './heartbeat.js'
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

test('what a process leaves that was killed while it took the lock is cleared away, and nothing else', async () => {
  const leftover = `${output}.lock.${randomUUID()}`
  const others = [`${output}.lock.txt`, `${output}.${randomUUID()}`, `${output}2.lock.${randomUUID()}`]
  for (const file of [leftover, ...others]) writeFileSync(file, '')
  await (await lockOutput(output))[Symbol.asyncDispose]()
  expect([leftover, ...others].map((file) => existsSync(file))).toEqual([false, true, true, true])
})

test('who was stopped while it took the lock, and whose file another has cleared away, takes it again', async () => {
  const folder = join(output, '..')
  const removed: string[] = []
  // As another does who finds the guard of a stopped process stale.
  const removing = setInterval(() => {
    for (const name of readdirSync(folder))
      if (/\.lock\.[0-9a-f-]{36}$/.test(name) && removed.length === 0) {
        rmSync(join(folder, name), { force: true })
        removed.push(name)
      }
  })
  try {
    for (let times = 0; times < 20 && removed.length === 0; times++)
      await (await lockOutput(output))[Symbol.asyncDispose]()
  } finally {
    clearInterval(removing)
  }
  expect(removed).toHaveLength(1)
})

test.skipIf(!existsSync('/proc/self/stat'))(
  'a process number that is used again is not taken for the holder',
  async () => {
    held({ pid: process.pid, host: hostname(), started: '1' })
    await (await lockOutput(output))[Symbol.asyncDispose]()
  },
)

const elsewhere = { pid: 999999, host: 'elsewhere', started: null, token: 'theirs' }
const ago = (seconds: number) => {
  const then = Date.now() / 1000 - seconds
  utimesSync(`${output}.lock`, then, then)
}

test('a holder on another host whose heart has been still for long is dead: its lock is taken at once', async () => {
  held(elsewhere)
  ago(60)
  const begun = performance.now()
  await (await lockOutput(output))[Symbol.asyncDispose]()
  expect(performance.now() - begun).toBeLessThan(5000)
})

test('one whose heart was heard lately is watched: while it beats it is never taken, and it is told why', async () => {
  held(elsewhere)
  const beat = setInterval(() => ago(0), 50)
  const waits: string[] = []
  const attempt = lockOutput(output, { onWait: (message) => waits.push(message) })
  await expect(attempt).rejects.toThrow(/process 999999 on elsewhere.*delete .*x\.csv\.lock/)
  clearInterval(beat)
  expect(waits).toEqual([expect.stringMatching(/held by process 999999 on elsewhere: waiting to see/)])
})

test('one whose heart stays still while it is watched is dead', async () => {
  held(elsewhere)
  await (await lockOutput(output, { deadMs: 600 }))[Symbol.asyncDispose]()
})

test('an abort ends the watch', async () => {
  held(elsewhere)
  const abort = new AbortController()
  setTimeout(() => abort.abort(new Error('enough')), 20)
  await expect(lockOutput(output, { signal: abort.signal })).rejects.toThrow('enough')
})

test.skipIf(!existsSync('/proc/self/ns/pid'))(
  'a container of the same name has processes of its own: a number that is absent here may live there',
  async () => {
    held({ ...elsewhere, host: hostname(), place: 'another boot pid:[1]' })
    const beat = setInterval(() => ago(0), 50)
    await expect(lockOutput(output)).rejects.toMatchObject({ code: 'locked' })
    clearInterval(beat)
  },
)

test('the heart beats while the first thread is busy, and leaves what the file says', async () => {
  held(elsewhere)
  const before = readFileSync(`${output}.lock`, 'utf8')
  writeFileSync(`${output}.lock`, `${before}\n`)
  const { mtimeMs } = statSync(`${output}.lock`)
  await using _heart = new Heartbeat(`${output}.lock`, 20)
  // Nothing else of this thread runs meanwhile.
  const end = performance.now() + 60_000
  while (statSync(`${output}.lock`).mtimeMs === mtimeMs && performance.now() < end);
  expect(statSync(`${output}.lock`).mtimeMs).toBeGreaterThan(mtimeMs)
  expect(readFileSync(`${output}.lock`, 'utf8')).toBe(`${before}\n`)
})

test('who finds the lock taken after a long sleep is told, and leaves it to the other', async () => {
  const lock = await lockOutput(output)
  await lock.assertHeld()
  held(elsewhere)
  await sleep(1100)
  await expect(lock.assertHeld()).rejects.toMatchObject({
    code: 'locked',
    message: expect.stringContaining('process 999999 on elsewhere has it'),
  })
  await lock[Symbol.asyncDispose]()
  expect(readFileSync(`${output}.lock`, 'utf8')).toContain('theirs')
})

test('a lock file that a kill has cut off keeps nobody out', async () => {
  writeFileSync(`${output}.lock`, '{"pid":')
  await (await lockOutput(output))[Symbol.asyncDispose]()
})

test('of many that come at once, exactly one gets it', async () => {
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockOutput(output)))
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
})
