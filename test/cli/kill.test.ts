/** Kills real processes, again and again, while they write; the built command line does the work. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { killSoak } from '../support/kill-soak.mjs'
import { type Folder, folderWith } from './run-in-test.js'

const IMAGES = Array.from(
  { length: 600 },
  (_, i) => `photos/${String((i * 7919) % 1000).padStart(4, '0')}.jpg`,
)

function start(folder: Folder, args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [resolve('test/cli/stand-in-main.mjs'), ...args], {
    cwd: folder.path,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
}

async function finish(child: ChildProcess): Promise<{ code: number | null; stderr: string }> {
  let stderr = ''
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const [code] = await once(child, 'close')
  return { code, stderr }
}

const read = (folder: Folder, name: string) => readFileSync(join(folder.path, name))
const computed = (folder: Folder) => read(folder, 'log').toString().split('\n').filter(Boolean)

test.concurrent.each(['csv', 'npy', 'features'] as const)(
  'a run killed at random moments loses no finished row, doubles none, and ends in the bytes of one left alone: %s',
  async (format) => {
    const { rows, ...report } = await killSoak({ format, kills: 2, photos: 100, more: 40 })
    expect(report).toMatchObject({ kills: 2, lost: 0, twice: 0, problems: [] })
    expect(rows).toBeGreaterThanOrEqual(100)
  },
)

test('a part that is on the disk is never computed again', async () => {
  using folder = folderWith(IMAGES)
  const env = { LOG: join(folder.path, 'log'), DELAY_MS: '1' }
  const child = start(folder, ['embed', 'photos', '-o', 'x.npy'], env)
  const end = finish(child)
  while (!existsSync(join(folder.path, 'x.npy.parts', '00000001.part'))) await sleep(5)
  child.kill('SIGKILL')
  await end
  const before = computed(folder)
  const part = read(folder, 'x.npy.parts/00000001.part')
  const entries: { path: string }[] = JSON.parse(
    part.subarray(8, 8 + Number(part.readBigUInt64LE(0))).toString(),
  )
  const safe = new Set(entries.map(({ path }) => join(folder.path, path)))
  expect(safe.size).toBeGreaterThan(0)
  expect((await finish(start(folder, ['embed', 'photos', '-o', 'x.npy'], env))).code).toBe(0)
  const after = computed(folder).slice(before.length)
  expect(after.filter((path) => safe.has(path))).toEqual([])
})

test('SIGINT ends with 130 after saving the part under way; nothing is computed twice', async () => {
  using folder = folderWith(IMAGES)
  const env = { LOG: join(folder.path, 'log'), DELAY_MS: '1' }
  const child = start(folder, ['embed', 'photos', '-o', 'x.npy'], env)
  const end = finish(child)
  while (!existsSync(env.LOG)) await sleep(5)
  await sleep(100)
  child.kill('SIGINT')
  const { code, stderr } = await end
  expect(code).toBe(130)
  expect(stderr).toContain('run the same command again')
  expect((await finish(start(folder, ['embed', 'photos', '-o', 'x.npy'], env))).code).toBe(0)
  expect(computed(folder).sort()).toEqual([...new Set(computed(folder))].sort())
})

test('of two processes writing one output, one is refused and the other finishes', async () => {
  using folder = folderWith(IMAGES)
  const env = { DELAY_MS: '1' }
  const runs = [1, 2].map(() => finish(start(folder, ['embed', 'photos', '-o', 'x.csv'], env)))
  const outcomes = await Promise.all(runs)
  expect(outcomes.map(({ code }) => code).sort()).toEqual([0, 2])
  expect(outcomes.find(({ code }) => code === 2)?.stderr).toMatch(/is being written by process \d+/)
  expect(read(folder, 'x.csv').toString().trimEnd().split('\n')).toHaveLength(1 + IMAGES.length)
})
