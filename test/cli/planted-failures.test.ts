/** Plants failures in the file system while a run writes: whatever happens, what was finished stays, and a rerun computes only the rest. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { failingDiskOrNull } from '../support/failing-disk.js'
import { smallDiskOrNull } from '../support/small-disk.js'
import { type Folder, folderWith, runInTest } from './run-in-test.js'

const COUNT = 60
const NOBODY = 65534
const NEEDS_MOUNT = 'no small disk can be mounted here: that needs Linux and root'
const photos = () => folderWith(Array.from({ length: COUNT }, (_, i) => `photos/${i + 100}.jpg`))
const lines = (path: string) =>
  existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []

/** Starts a run whose images take a while. */
function start(folder: Folder, args: readonly string[]) {
  return runInTest(args, { cwd: folder.path, encoder: { log: join(folder.path, 'log'), delayMs: 20 } })
}

/** Runs to the end, and tells how many images that took. */
async function finished(folder: Folder, args: readonly string[]) {
  const log = join(folder.path, 'log')
  const before = lines(log).length
  expect(await runInTest(args, { cwd: folder.path, encoder: { log } })).toMatchObject({ code: 0 })
  return lines(log).length - before
}

test('a disk that is read-only is named at once, before anything is computed', async ({ skip }) => {
  using disk = smallDiskOrNull('4m') ?? skip(NEEDS_MOUNT)
  using folder = photos()
  mkdirSync(join(disk.path, 'several/folders/down'), { recursive: true })
  disk.remount('ro')
  for (const args of [
    ['embed', 'photos', '-o', join(disk.path, 'x.csv')],
    ['embed', 'photos', '-o', join(disk.path, 'several/folders/down/x.csv')],
    ['features', 'photos', '-o', join(disk.path, 'maps')],
    ['features', 'photos', '-o', join(disk.path, 'several/folders/down/maps')],
  ]) {
    const outcome = await runInTest(args, { cwd: folder.path, encoder: { log: join(folder.path, 'log') } })
    expect(outcome).toMatchObject({ code: 2, stderr: expect.stringContaining('the disk is read-only') })
  }
  expect(lines(join(folder.path, 'log'))).toEqual([])
})

/** Empties a folder again where the run has put something into it between its emptying and its removal, which Node's own retries do not. */
function removeWhileWritten(folder: string) {
  while (existsSync(folder)) {
    try {
      rmSync(folder, { recursive: true, force: true })
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOTEMPTY' })
    }
  }
}

async function endOf(child: ChildProcessWithoutNullStreams) {
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const [code] = await once(child, 'close')
  return { code, stderr }
}

/** Says of each command where it puts what, which images have a row or file there, and which folder it writes into under way. */
const OUTPUTS = [
  { command: 'embed', output: 'x.csv', worksIn: 'x.csv.parts', named: rowsOf },
  { command: 'features', output: 'maps', worksIn: 'maps/photos', named: filesOf },
] as const
const BEGUN = 33

function rowsOf(folder: string) {
  return lines(join(folder, 'x.csv'))
    .slice(1)
    .map((line) => line.split(',')[0] ?? '')
}

/** Each image has a file, and is listed once. */
function filesOf(folder: string) {
  const listed = lines(join(folder, 'maps/index.jsonl')).map(
    (line) => JSON.parse(line) as { path: string; file: string },
  )
  const there = readdirSync(join(folder, 'maps/photos')).map((name) => `photos/${name}`)
  expect(there.sort()).toEqual(listed.map(({ file }) => file).sort())
  return listed.map(({ path }) => path)
}

const ALL = Array.from({ length: COUNT }, (_, i) => `photos/${i + 100}.jpg`)

test.for(OUTPUTS)(
  'a disk that fails under way ends $command by name; what was safe is not computed again, and nothing is there twice',
  async ({ command, output, named }, { skip }) => {
    using disk =
      failingDiskOrNull() ?? skip('no disk can be made to fail here: that needs Linux, root and ext4')
    using folder = photos()
    const args = [command, 'photos', '-o', join(disk.path, output)]
    const running = start(folder, args)
    while (lines(join(folder.path, 'log')).length < BEGUN) await sleep(5)
    disk.fail()
    const { code, stderr } = await running
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^plumage: .* \(the disk is read-only\)\. Choose/),
    })
    // Nothing can be put right while it is so.
    expect(await runInTest(args, { cwd: folder.path })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('read-only'),
    })
    disk.mend()
    expect(await finished(folder, args)).toBeLessThan(COUNT)
    expect(named(disk.path).sort()).toEqual(ALL)
  },
)

test.for(OUTPUTS)(
  'a folder that is removed under way, and all that $command had in it, ends the run by name; a rerun into such a folder makes all anew',
  async ({ command, output, named }) => {
    using folder = photos()
    const out = join(folder.path, 'out')
    mkdirSync(out)
    const args = [command, 'photos', '-o', `out/${output}`]
    const running = start(folder, args)
    while (lines(join(folder.path, 'log')).length < BEGUN) await sleep(5)
    removeWhileWritten(out)
    const { code, stderr } = await running
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(new RegExp(`^plumage: .*out/${output}`)),
    })
    // What ended may have made it once more on its way.
    mkdirSync(out, { recursive: true })
    expect(await finished(folder, args)).toBe(COUNT)
    expect(named(out).sort()).toEqual(ALL)
  },
)

test.skipIf(process.getuid?.() !== 0).for(OUTPUTS)(
  'the right to write, revoked under way, ends $command by name; what was safe is not computed again',
  async ({ command, output, worksIn, named }) => {
    using folder = photos()
    const writes = join(folder.path, worksIn)
    const log = join(folder.path, 'log')
    // Root may write everywhere: it is somebody else who writes here.
    for (const path of [folder.path, join(folder.path, 'photos')]) chownSync(path, NOBODY, NOBODY)
    const asNobody = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups', process.execPath]
    const start = (delayMs: number) => {
      const args = [...asNobody, resolve('test/cli/stand-in-main.mjs'), command, 'photos', '-o', output]
      const env = { ...process.env, LOG: log, DELAY_MS: `${delayMs}` }
      return endOf(spawn('setpriv', args, { cwd: folder.path, env }))
    }
    const running = start(40)
    while (!existsSync(writes) || !readdirSync(writes).some((name) => /\.(part|npy)$/.test(name)))
      await sleep(5)
    chmodSync(writes, 0o555)
    expect(await running).toEqual({
      code: 2,
      stderr: expect.stringContaining('you have no right to write there'),
    })
    chmodSync(writes, 0o755)
    const before = lines(log).length
    expect(await start(0)).toEqual({ code: 0, stderr: '' })
    expect(lines(log).length - before).toBeLessThan(COUNT)
    expect(named(folder.path).sort()).toEqual(ALL)
  },
)

test('photos that are removed under way fail one by one; once they are back only these are computed', async () => {
  using folder = photos()
  const args = ['embed', 'photos', '-o', 'x.jsonl']
  const running = start(folder, args)
  while (lines(join(folder.path, 'log')).length < 5) await sleep(5)
  renameSync(join(folder.path, 'photos'), join(folder.path, 'elsewhere'))
  expect(await running).toMatchObject({ code: 1, stderr: expect.stringMatching(/failed photos\/.*\n/) })
  const done = lines(join(folder.path, 'x.jsonl')).length
  expect(done).toBeGreaterThan(0)
  renameSync(join(folder.path, 'elsewhere'), join(folder.path, 'photos'))
  expect(await finished(folder, args)).toBe(COUNT - done)
  expect(lines(join(folder.path, 'x.jsonl'))).toHaveLength(COUNT)
})

test('a folder of features on a disk that fills up keeps whole files, and a rerun adds the others', async ({
  skip,
}) => {
  using disk = smallDiskOrNull('160k') ?? skip(NEEDS_MOUNT)
  using folder = photos()
  const output = join(disk.path, 'maps')
  const args = ['features', 'photos', '-o', output]
  const full = await runInTest(args, { cwd: folder.path })
  expect(full).toMatchObject({ code: 2, stderr: expect.stringContaining('the disk is full') })
  const whole = readdirSync(join(output, 'photos'))
  expect(whole.filter((name) => !name.endsWith('.npy'))).toEqual([])
  disk.remount('size=4m')
  expect(await finished(folder, args)).toBeLessThan(COUNT)
  expect(readdirSync(join(output, 'photos'))).toHaveLength(COUNT)
})
