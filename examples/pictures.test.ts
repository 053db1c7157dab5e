/** Runs the program that docs/pictures.md shows, and holds the page's names to what the package gives. */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import * as plumage from '../src/index.js'

const root = resolve(import.meta.dirname, '..')
const run = promisify(execFile)
const page = await readFile(join(root, 'docs', 'pictures.md'), 'utf8')

test('the program runs as it stands, and each of its results is there', async () => {
  const [, program = ''] = /## In a program\n.*?```ts\n(.*?)```/s.exec(page) ?? []
  const folder = await mkdtemp(join(tmpdir(), 'plumage-pictures-'))
  try {
    await mkdir(join(folder, 'node_modules'))
    await symlink(root, join(folder, 'node_modules', 'plumage'))
    await symlink(join(root, 'node_modules', 'sharp'), join(folder, 'node_modules', 'sharp'))
    await cp(join(root, 'examples', 'photos'), join(folder, 'examples', 'photos'), { recursive: true })
    const then = `console.log(JSON.stringify([a.grid, heads?.height, lines.width > one.width + two.width - 1, similarity.length, matches.length > 0, thing !== null, groups.labels.length]))`
    await writeFile(join(folder, 'program.mts'), `${program}\n${then}`)
    // The compiler holds the program to the package's types, and writes `using` out, which Node 20 does not know.
    const options = [
      '--ignoreConfig',
      '--strict',
      '--skipLibCheck',
      '--target',
      'es2022',
      '--module',
      'nodenext',
    ]
    await run(join(root, 'node_modules/.bin/tsc'), [...options, 'program.mts'], { cwd: folder })
    const { stdout } = await run(process.execPath, ['program.mjs'], { cwd: folder })
    expect(JSON.parse(stdout)).toEqual([{ rows: 36, columns: 28 }, 534, true, 36 * 28, true, true, 2])
    expect((await stat(join(folder, 'pca.png'))).size).toBeGreaterThan(10_000)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 60_000)

test('each function that the page names is one of the package', () => {
  const [, methods = ''] = /## The methods\n(.*?)## In a program/s.exec(page) ?? []
  const functions = [...methods.matchAll(/`([a-z]+[A-Z]\w*)`/g)].flatMap(([, name]) => name ?? [])
  expect(functions.length).toBeGreaterThan(15)
  for (const name of functions) expect(name in plumage || name === 'patchBox', name).toBe(true)
})
