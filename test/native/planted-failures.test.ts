/** Whatever the system refuses to the native engine, memory, threads or a call of Node, ends in an error, never in an end of the process. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'

interface Life {
  readonly n: number
  readonly met: boolean
  readonly errors: readonly {
    readonly name: string
    readonly code: string | null
    readonly message: string
  }[]
  readonly threads: number
}

const root = join(import.meta.dirname, '../..')
const execute = promisify(execFile)

interface Build {
  readonly path?: string
  readonly reason?: string
}
let build: Build
beforeAll(async () => {
  const { buildNative } = await import(join(root, 'scripts/build-native.mjs'))
  build = await buildNative({ planted: true })
})

/** Lives an engine's life with the n-th failure of a kind, again and again, until one meets none. */
async function livesWith(kind: string, addon: string): Promise<readonly Life[]> {
  const { stdout } = await execute(process.execPath, [join(import.meta.dirname, 'planted-child.mjs'), kind], {
    env: { ...process.env, PLUMAGE_NATIVE_ADDON: addon },
    maxBuffer: 2 ** 26,
  })
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Life)
}

describe.each([
  ['memory', 'out-of-memory'],
  ['mapping', 'out-of-memory'],
  ['thread', 'unavailable'],
])('refused: %s', (kind, code) => {
  test(`is an EngineError ${code} each time, and the same call works afterwards`, async (context) => {
    if (build.path === undefined) return context.skip(build.reason)
    const lives = await livesWith(kind, build.path)
    expect(lives.length).toBeGreaterThan(3)
    for (const { met, errors, threads } of lives) {
      const expected = expect.objectContaining({ name: 'EngineError', code })
      expect({ errors, threads }).toEqual({ errors: met ? [expected] : [], threads: 0 })
    }
    expect(lives.at(-1)).toMatchObject({ met: false })
  })
})

test('a call of Node-API that fails is an error or made again, and the same call works afterwards', async (context) => {
  if (build.path === undefined) return context.skip(build.reason)
  const lives = await livesWith('call', build.path)
  expect(lives.length).toBeGreaterThan(100)
  expect(lives.filter(({ errors }) => errors.length > 0).length).toBeGreaterThan(lives.length / 2)
  for (const { errors, threads } of lives) {
    expect(errors.length).toBeLessThanOrEqual(1)
    expect(threads).toBe(0)
  }
  expect(lives.at(-1)).toMatchObject({ met: false, errors: [] })
})
