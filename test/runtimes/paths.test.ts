/** The two paths that ARCHITECTURE.md lists are those that a load and an image really take, and they stay short. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import { nativeAvailability } from '../../src/platform/node/native/index.js'

const root = resolve(import.meta.dirname, '../..')

type Traced = Readonly<Record<'load' | 'image', readonly string[]>>
let traced: Traced

beforeAll(async () => {
  if (!nativeAvailability().available) return
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(root, 'test/runtimes/trace-paths.mjs'),
  ])
  traced = JSON.parse(stdout) as Traced
})

/** Reads `file function` of each numbered line of a path; `onTheWayBack` marks what no edge of the platform can see. */
async function listed(path: 'load' | 'image') {
  const text = await readFile(join(root, 'ARCHITECTURE.md'), 'utf8')
  const [, list = ''] = new RegExp(`<!-- path: ${path} -->(.*?)<!-- end -->`, 's').exec(text) ?? []
  return [...list.matchAll(/^\d+\. `(\S+)` `(\S+)`: (.*)$/gm)].map(([, file = '', name = '', note = '']) => ({
    file,
    place: `${file} ${name}`,
    onTheWayBack: note.endsWith('on the way back.'),
  }))
}

test.runIf(nativeAvailability().available).each([
  ['load', 15, 12],
  ['image', 10, 8],
] as const)(
  'a %s crosses the functions that are listed: at most %i in %i files',
  async (path, functions, files) => {
    const places = await listed(path)
    expect(places.length).toBeLessThanOrEqual(functions)
    expect(new Set(places.map(({ file }) => file)).size).toBeLessThanOrEqual(files)
    const seen = places.filter(({ onTheWayBack }) => !onTheWayBack).map(({ place }) => place)
    expect([...traced[path]].sort()).toEqual(seen.sort())
  },
)

test('what is listed as crossed on the way back is there', async () => {
  for (const { file, place } of (await listed('image')).filter(({ onTheWayBack }) => onTheWayBack)) {
    const name = place.split(' ').at(-1)
    expect(await readFile(join(root, 'src', file), 'utf8')).toContain(`export function ${name}(`)
  }
})
