/** Runs the built command as a process, with the model that ships in the package, on real photos. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { folderWith } from './run-in-test.js'

const MAIN = resolve('dist/bundle/node/cli.js')
const PHOTOS = resolve('examples/photos')

interface Expected {
  readonly photos: Readonly<Record<string, { readonly first8: readonly number[] }>>
}
const expected = JSON.parse(readFileSync('models/small/expected.json', 'utf8')) as Expected

function plumage(
  args: readonly string[],
  options: { cwd?: string; input?: string; env?: NodeJS.ProcessEnv } = {},
) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    ...options,
  })
  return { code: status, stdout, stderr }
}

test('help and version are on stdout with exit code 0', () => {
  expect(plumage(['--help'])).toEqual({ code: 0, stdout: expect.stringContaining('embed'), stderr: '' })
  expect(plumage(['--version'])).toEqual({
    code: 0,
    stdout: `${JSON.parse(readFileSync('package.json', 'utf8')).version}\n`,
    stderr: '',
  })
})

test('help comes at once: no engine, no model and no image decoder is loaded for it', () => {
  using folder = folderWith()
  plumage(['embed', '--help'], { env: { ...process.env, NODE_V8_COVERAGE: folder.path } })
  const [coverage] = readdirSync(folder.path).map((name) =>
    JSON.parse(readFileSync(join(folder.path, name), 'utf8')),
  )
  const loaded: string[] = coverage.result.map(({ url }: { url: string }) => url)
  expect(loaded).toContain(pathToFileURL(MAIN).href)
  expect(
    loaded.filter((url) => /\/dist\/(engine|kernels|network|checkpoint)\/|\.node$|sharp/.test(url)),
  ).toEqual([])
})

test('the embeddings of the example photos are those that Birder computes', () => {
  const { code, stdout, stderr } = plumage(['embed', PHOTOS])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const records = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(records).toHaveLength(12)
  for (const { path, embedding } of records) {
    const { first8 } = expected.photos[path.slice(PHOTOS.length + 1)]
    expect(embedding).toHaveLength(384)
    for (const [index, value] of first8.entries())
      expect(Math.abs(embedding[index] - value)).toBeLessThan(1e-4)
  }
})

test('a file that is no image fails by itself, on one line, with exit code 1', () => {
  using folder = folderWith({ 'a.jpg': 'no image at all' })
  writeFileSync(join(folder.path, 'b.jpg'), readFileSync(join(PHOTOS, 'hat-1.jpg')))
  const { code, stdout, stderr } = plumage(['embed', '.'], { cwd: folder.path })
  expect(code).toBe(1)
  expect(JSON.parse(stdout).path).toBe('./b.jpg')
  const [failure, summary, ...rest] = stderr.split('\n')
  expect(failure).toMatch(/^failed \.\/a\.jpg: /)
  expect(summary).toBe('plumage: 1 of 2 images failed.')
  expect(rest).toEqual([''])
})

test.each([
  [['embed', PHOTOS, '--model', 'no_such_model', '--offline'], 'no_such_model'],
  [['embed', PHOTOS, '--model', 'gone.safetensors'], 'gone.safetensors'],
  [['embed', PHOTOS, '--size', '225'], '225'],
  [['info', 'gone.safetensors'], 'gone.safetensors'],
])('%j is wrong usage: one line that names %s', (args, name) => {
  const { code, stdout, stderr } = plumage(args)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  expect(stderr).toContain(name)
})

test('info says what the shipped model is, from its headers', () => {
  const { code, stdout } = plumage(['info', 'small', '--json'])
  expect(code).toBe(0)
  const info = JSON.parse(stdout)
  expect(info).toMatchObject({ network: 'vit_reg4_s14_nps_ls', format: 'safetensors', dialect: 'birder' })
  expect(info.config).toMatchObject({ size: [224, 224], patchSize: 14, width: 384, depth: 12, registers: 4 })
  expect(info.memory.weights).toBe(4 * info.parameters)
  const text = plumage(['info']).stdout
  for (const part of ['vit_reg4_s14_nps_ls', info.recipe, info.engine.name]) expect(text).toContain(part)
})

test('a reader that has seen enough ends the work quietly', () => {
  const { stdout, stderr } = spawnSync(
    'sh',
    ['-c', `"${process.execPath}" "${MAIN}" embed "${PHOTOS}" | head -n 1`],
    {
      encoding: 'utf8',
    },
  )
  expect(JSON.parse(stdout).path).toContain('hat-1.jpg')
  expect(stderr).toBe('')
})

test('Ctrl-C while a list is awaited ends with 130', async () => {
  const child = spawn(process.execPath, [MAIN, 'embed', '-'], { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.write(`${join(PHOTOS, 'hat-1.jpg')}\n`)
  await once(child.stdout, 'data')
  child.kill('SIGINT')
  const [code] = await once(child, 'close')
  expect(code).toBe(130)
})

test('a file written in two goes, by real interrupts, equals one written in one', async () => {
  using folder = folderWith()
  const once_ = plumage(['embed', PHOTOS, '-o', 'one.parquet'], { cwd: folder.path })
  expect(once_.code).toBe(0)
  const child = spawn(
    process.execPath,
    [MAIN, 'embed', PHOTOS, '-o', 'two.parquet', '--json', '--batch', '1'],
    {
      cwd: folder.path,
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  await once(child.stderr, 'data')
  child.kill('SIGINT')
  await once(child, 'close')
  expect(plumage(['embed', PHOTOS, '-o', 'two.parquet'], { cwd: folder.path }).code).toBe(0)
  const [one, two] = ['one', 'two'].map((name) => readFileSync(join(folder.path, `${name}.parquet`)))
  expect(two.equals(one)).toBe(true)
})
