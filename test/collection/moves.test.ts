/** Moves files and brings them back, with real kills of a real process between. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { FileLog } from '../../src/platform/node/collection/collection-files.js'
import {
  endMoves,
  isUnfinished,
  latestRun,
  moveFiles,
  undoMoves,
} from '../../src/platform/node/collection/move-files.js'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** Makes photos with sidecars, each with its own content, and gives what is where. */
function made(count: number, other = tmpdir()) {
  const [folder, to] = [
    mkdtempSync(join(tmpdir(), 'plumage-moves-')),
    mkdtempSync(join(other, 'plumage-moved-')),
  ]
  folders.push(folder, to)
  const from = join(folder, 'photos')
  mkdirSync(from)
  for (let i = 0; i < count; i++) {
    const name = `${String(i).padStart(4, '0')}.jpg`
    writeFileSync(join(from, name), `photo ${i} `.repeat(2000))
    writeFileSync(join(from, `${name}.xmp`), `about ${i}`)
  }
  return { folder, from, to, log: new FileLog(folder, 'moves') }
}

const contentOf = (folder: string) =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]))

test('what was moved comes back, whatever else lies there by now', async () => {
  const { from, to, log } = made(3)
  const before = contentOf(from)
  const moves = Object.keys(before).map((name) => ({ from: join(from, name), to: join(to, 'deep', name) }))
  await moveFiles(log, 'first', moves, { about: { id: 'a' } })
  await endMoves(log, 'first')
  expect(readdirSync(from)).toEqual([])
  expect(contentOf(join(to, 'deep'))).toEqual(before)
  writeFileSync(join(from, '0001.jpg'), 'another photo of this name')
  const run = latestRun(await log.read())
  expect([run, isUnfinished(await log.read(), 'first')]).toEqual(['first', false])
  const undone = await undoMoves(log, 'first')
  expect(undone.filter(({ state }) => state === 'lost').map((one) => one.from)).toEqual([
    join(from, '0001.jpg'),
  ])
  expect(contentOf(from)).toEqual({ ...before, '0001.jpg': 'another photo of this name' })
  // What could not come back is still written down, and comes once its place is free.
  rmSync(join(from, '0001.jpg'))
  expect((await undoMoves(log, 'first')).map(({ state }) => state)).toEqual(['back'])
  expect(contentOf(from)).toEqual(before)
  expect(latestRun(await log.read())).toBe(null)
})

test('no file is written over', async () => {
  const { from, to, log } = made(1)
  writeFileSync(join(to, '0000.jpg'), 'mine')
  const move = { from: join(from, '0000.jpg'), to: join(to, '0000.jpg') }
  await expect(moveFiles(log, 'run', [move])).rejects.toMatchObject({ code: 'exists' })
  expect([readFileSync(move.to, 'utf8'), existsSync(move.from)]).toEqual(['mine', true])
})

test('a file with both names, as a kill leaves it, is one file again after undoing', async () => {
  const { from, to, log } = made(1)
  const move = { from: join(from, '0000.jpg'), to: join(to, '0000.jpg') }
  await log.append([{ run: 'killed', move: 'begun', ...move }])
  linkSync(move.from, move.to)
  writeFileSync(`${move.to}.plumage-moving`, 'half a copy')
  expect((await undoMoves(log, 'killed')).map(({ state }) => state)).toEqual(['stayed'])
  expect([readdirSync(to), statSync(move.from).nlink]).toEqual([[], 1])
})

const MEMORY = '/dev/shm'
const isAcross = existsSync(MEMORY) && statSync(MEMORY).dev !== statSync(tmpdir()).dev

test.skipIf(!isAcross)('across devices a file is copied, and keeps its time', async () => {
  const { from, to, log } = made(2, MEMORY)
  const before = contentOf(from)
  const { mtimeMs } = statSync(join(from, '0000.jpg'))
  const moves = Object.keys(before).map((name) => ({ from: join(from, name), to: join(to, name) }))
  await moveFiles(log, 'run', moves)
  expect([contentOf(to), readdirSync(from)]).toEqual([before, []])
  expect(Math.abs(statSync(join(to, '0000.jpg')).mtimeMs - mtimeMs)).toBeLessThan(2)
  await undoMoves(log, 'run')
  expect([contentOf(from), readdirSync(to)]).toEqual([before, []])
})

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, '../support/move-files.mjs'), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

/** Tells that each content is there, once, or twice where a kill came between the new name and the old one's end. */
function checkWhole(before: Readonly<Record<string, string>>, from: string, to: string): number {
  let moved = 0
  for (const [name, content] of Object.entries(before)) {
    const places = [from, to].map((folder) => join(folder, name)).filter(existsSync)
    expect([name, places.length > 0]).toEqual([name, true])
    for (const place of places) expect(readFileSync(place, 'utf8')).toBe(content)
    moved += Number(existsSync(join(to, name)))
  }
  return moved
}

test.each([['one disk', tmpdir()], ...(isAcross ? [['two disks', MEMORY]] : [])])(
  'kills lose nothing on %s: undoing brings all back, and going on moves all',
  async (_, other) => {
    const kills = Number(process.env.PLUMAGE_MOVE_KILLS ?? 3)
    const { folder, from, to, log } = made(120, other)
    const before = contentOf(from)
    let midway = 0
    for (let kill = 0; kill < kills; kill++) {
      const child = start(folder, from, to)
      const end = once(child, 'close')
      while (readdirSync(to).length < 4 && child.exitCode === null) await sleep(2)
      await sleep(Math.random() * 60)
      child.kill('SIGKILL')
      await end
      const moved = checkWhole(before, from, to)
      if (moved > 0 && moved < Object.keys(before).length) midway++
      if (kill % 2 === 0) {
        for (let run = latestRun(await log.read()); run !== null; run = latestRun(await log.read()))
          expect((await undoMoves(log, run)).every(({ state }) => state !== 'lost')).toBe(true)
        expect([contentOf(from), readdirSync(to)]).toEqual([before, []])
      }
    }
    expect(midway).toBeGreaterThan(0)
    const [code] = (await once(start(folder, from, to), 'close')) as [number]
    expect([code, contentOf(to), readdirSync(from)]).toEqual([0, before, []])
  },
)
