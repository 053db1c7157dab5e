/** Checks what `pull` and `cache` say and ask; what they fetch and find is checked where that is done. */
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import type { CachedModel, VerifiedFile } from '../../src/platform/node/hub/cache-contents.js'
import type { PulledModel } from '../../src/platform/node/hub/pull-model.js'
import { runInTest } from './run-in-test.js'

const PULLED: PulledModel = {
  name: 'somebody/tiny',
  commit: '0123456789abcdef0123456789abcdef01234567',
  files: [
    { name: 'config.json', role: 'config', path: '/c/config.json', size: 2, downloaded: false },
    { name: 'model.safetensors', role: 'weights', path: '/c/model.safetensors', size: 9, downloaded: true },
  ],
  licence: 'cc-by-nc-4.0',
  use: 'no commercial use; name the authors',
  changes: ['It is gated now.'],
}
const CACHED: CachedModel = {
  name: 'somebody/tiny',
  path: '/c/models--somebody--tiny',
  kind: 'repository',
  size: 2_000_000,
  sharedSize: 1_000_000,
  usedAt: new Date('2026-01-02T03:04:05Z'),
}

function looking(states: readonly VerifiedFile[] = []) {
  const removed: CachedModel[] = []
  const cached = {
    list: async () => [CACHED],
    verify: async function* () {
      yield* states
    },
    remove: async (model: CachedModel) => void removed.push(model),
  }
  return {
    removed,
    run: (...args: string[]) => runInTest(['cache', ...args], { cwd: process.cwd(), cached }),
  }
}

test('pull tells each file, the licence in one line, and what has changed', async () => {
  const given: unknown[] = []
  const pullModel = async (...all: unknown[]) => {
    given.push(...all)
    return PULLED
  }
  const { code, stdout, stderr } = await runInTest(['pull', 'somebody/tiny', '--into', 'here'], {
    cwd: process.cwd(),
    pullModel,
  })
  expect(code).toBe(0)
  expect(given).toMatchObject(['somebody/tiny', { into: resolve('here') }])
  expect(stdout.split('\n')).toEqual([
    'config   /c/config.json (was here)',
    'weights  /c/model.safetensors',
    'somebody/tiny at 0123456789ab. Licence, as its publisher says: cc-by-nc-4.0; no commercial use; name the authors.',
    '',
  ])
  expect(stderr).toContain('It is gated now.')
})

test('the list says what, how much, when and where', async () => {
  const { stdout } = await looking().run('list')
  expect(stdout).toBe('somebody/tiny  2.0 MB and 1.0 MB shared, used 2026-01-02  /c/models--somebody--tiny\n')
})

test('a damaged file makes verify end with 1 and names it', async () => {
  const { code, stdout, stderr } = await looking([
    { path: '/c/a', state: 'damaged' },
    { path: '/c/b', state: 'whole' },
  ]).run('verify')
  expect(code).toBe(1)
  expect(stdout).toBe('damaged  /c/a\n1 whole, 1 damaged, 0 unfinished, 0 of unknown hash.\n')
  expect(stderr).toContain('plumage pull')
})

test('nothing is removed unasked, and what stays in the shared store is told', async () => {
  const { removed, run } = looking()
  expect((await run('remove', 'somebody/tiny')).code).toBe(2)
  expect(removed).toEqual([])
  const { code, stdout } = await run('remove', 'somebody/tiny', '--yes')
  expect(code).toBe(0)
  expect(removed).toEqual([CACHED])
  expect(stdout).toContain('1.0 MB of it lie in the store')
})

test('a name that was never pulled is wrong usage', async () => {
  const { code, stderr } = await looking().run('remove', 'somebody/tinny', '--yes')
  expect(code).toBe(2)
  expect(stderr).toContain('somebody/tiny')
})
