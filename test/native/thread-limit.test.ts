/** What a limit of threads (`ulimit -u`) does to the native engine: loading rejects, and the process goes on. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { nativeAvailability } from '../../src/platform/node/native/index.js'

const execute = promisify(execFile)

/** Why the limit cannot be tried here; null where it can. */
async function obstacle(): Promise<string | null> {
  const { available, reason } = nativeAvailability()
  if (!available) return `there is no native engine: ${reason}`
  if (process.platform !== 'linux') return 'limits of threads are set by prlimit, which is of Linux'
  if (process.getuid?.() !== 0)
    return 'only root can start a process as a user of its own, whose threads nobody else adds to'
  try {
    await execute('prlimit', ['--version'])
    await execute('setpriv', [
      ...AS_NOBODY,
      process.execPath,
      '-e',
      'require("fs").accessSync(process.argv[1])',
      import.meta.filename,
    ])
  } catch (error) {
    return `a user of its own cannot run Node on these files here (${String(error).split('\n')[0]})`
  }
  return null
}

/** A user whom no other process belongs to: root has no limit, and a limit counts all threads of a user. */
const uid = 70_000 + process.pid
const AS_NOBODY = ['--reuid', `${uid}`, '--regid', `${uid}`, '--clear-groups']

test('threads that the system refuses are a rejection, and with room for them the same engine runs', async (context) => {
  const reason = await obstacle()
  if (reason !== null) return context.skip(reason)
  const child = spawn(
    'setpriv',
    [...AS_NOBODY, process.execPath, join(import.meta.dirname, 'limited-child.mjs')],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => JSON.parse((await lines.next()).value ?? '{"ended": true}')
  const { pid, threads } = await next()
  const withRoomFor = async (count: number) => {
    await execute('setpriv', [...AS_NOBODY, 'prlimit', '--pid', `${pid}`, `--nproc=${threads + count}:`])
    child.stdin.write('\n')
    return await next()
  }

  const refused = (thread: number) => ({
    code: 'unavailable',
    message: expect.stringContaining(`refuses thread ${thread} of 4`),
  })
  // The engine's own thread is the first; the second, third and fourth make the pool.
  expect(await withRoomFor(0)).toEqual({ ...refused(1), more: 0 })
  expect(await withRoomFor(1)).toEqual({ ...refused(2), more: 1 })
  expect(await withRoomFor(3)).toEqual({ ...refused(4), more: 1 })
  expect(await withRoomFor(4)).toEqual({ code: null, message: null, more: 4 })
  child.stdin.end()
  expect(await once(child, 'exit')).toEqual([0, null])
})
