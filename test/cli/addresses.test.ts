/** Addresses are inputs of the command as of the library: fetched within its limits, named in the outputs, and known to a rerun. */
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { MINI_FOLDER } from '../support/mini.js'
import { type Folder, folderWith, type InTestOptions, runInTest } from './run-in-test.js'

let server: Server
let base = ''
let image: Buffer
let asked: string[] = []

beforeAll(async () => {
  image = await sharp({ create: { width: 60, height: 40, channels: 3, background: 'teal' } })
    .png()
    .toBuffer()
  server = createServer(({ url = '' }, answer) => {
    asked.push(url)
    if (url.startsWith('/silent')) return
    if (url.startsWith('/none')) answer.writeHead(404)
    answer.end(image)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

beforeEach(() => {
  asked = []
})

const run = ({ path: cwd }: Folder, args: readonly string[], options: Partial<InTestOptions> = {}) =>
  runInTest([...args, '--model', MINI_FOLDER], { cwd, loadEncoder, ...options })
const rowsOf = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
const ALLOWED = '--allow-private-addresses'

test('http:, data: and file: addresses and a path of one image have one embedding, under the name that was given', async () => {
  using folder = folderWith({ 'a.png': '' })
  await sharp(image).toFile(join(folder.path, 'a.png'))
  const data = `data:image/png;base64,${image.toString('base64')}`
  const file = `file://${folder.path}/b%20c.png`
  await sharp(image).toFile(join(folder.path, 'b c.png'))
  const { code, stdout, stderr } = await run(folder, ['embed', `${base}/a.png`, data, file, 'a.png', ALLOWED])
  expect({ code, stderr }).toMatchObject({ code: 0 })
  const rows = rowsOf(stdout)
  expect(rows.map(({ path }) => path)).toEqual([
    `${base}/a.png`,
    expect.stringMatching(/^data:image\/png;base64,/),
    join(folder.path, 'b c.png'),
    'a.png',
  ])
  expect(new Set(rows.map(({ embedding }) => String(embedding))).size).toBe(1)
})

test('a list has addresses among paths; a rerun asks for none that is done, and again for those that failed', async () => {
  using folder = folderWith({ 'list.txt': '' })
  const args = ['embed', '-', '-o', 'x.jsonl', ALLOWED]
  const input = `${base}/a.png?w=1\n${base}/none.png\n${base}/b.png\n`
  const first = await run(folder, args, { input })
  expect(first.code).toBe(1)
  expect(first.stderr).toContain(
    `failed ${base}/none.png: ${base}/none.png cannot be fetched: the server answers 404`,
  )
  const output = () => readFileSync(join(folder.path, 'x.jsonl'), 'utf8')
  expect(rowsOf(output()).map(({ path }) => path)).toEqual([`${base}/a.png?w=1`, `${base}/b.png`])
  asked = []
  expect((await run(folder, args, { input })).code).toBe(1)
  expect(asked).toEqual(['/none.png'])
  asked = []
  const more = await run(folder, args, { input: `${base}/a.png?w=1\n${base}/b.png\n${base}/c.png\n` })
  expect(more).toMatchObject({ code: 0 })
  expect(asked).toEqual(['/c.png'])
  expect(rowsOf(output())).toHaveLength(3)
})

test('features of an address lie below its host and path, and those of data under a hash', async () => {
  using folder = folderWith()
  const data = `data:image/png;base64,${image.toString('base64')}`
  const args = ['features', `${base}/p/a.png?w=1`, `${base}/p/a.png?w=2`, data, '-o', 'maps', ALLOWED]
  expect(await run(folder, args)).toMatchObject({ code: 0 })
  const host = new URL(base).host.replace(':', '_')
  for (const query of ['w=1', 'w=2']) {
    expect(existsSync(join(folder.path, `maps/http/${host}/p/a.png_${query}.npy`))).toBe(true)
  }
  const index = rowsOf(readFileSync(join(folder.path, 'maps/index.jsonl'), 'utf8'))
  expect(index[2]).toMatchObject({ file: expect.stringMatching(/^data~[0-9a-f]{12}\.npy$/) })
  asked = []
  expect(await run(folder, args)).toMatchObject({ code: 0 })
  expect(asked).toEqual([])
})

test.each([
  ['a private address', [], '/a.png', /--allow-private-addresses/],
  ['any address, offline', [ALLOWED, '--offline'], '/a.png', /offline/],
  ['a long file', [ALLOWED, '--max-file-bytes', '20'], '/a.png', /more than 20 bytes.*--max-file-bytes/],
  ['a slow answer', [ALLOWED, '--fetch-timeout-ms', '50'], '/silent', /50 ms.*--fetch-timeout-ms/],
])('%s is refused by itself, with the option that allows it', async (_, options, path, message) => {
  using folder = folderWith()
  const { code, stderr } = await run(folder, ['embed', base + path, ...options])
  expect(code).toBe(1)
  expect(stderr).toMatch(message)
})
