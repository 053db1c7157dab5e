/** Tries `plumage report` around its encoder: what is written, what is listed, and what is never written over. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { PageData } from '../../src/picture/report/page-data.js'
import { folderWith, runInTest } from './run-in-test.js'
import { COLUMNS, ROWS, standInEncoder, WIDTH } from './stand-in-encoder.mjs'

const dataOf = (html: string) =>
  JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html)?.[1] ?? '') as PageData

test('a page has all photos with a code for each patch, and says how well codes find what is nearest', async () => {
  using folder = folderWith(['p/a.jpg', 'p/q/b.jpg', 'p/c.jpg'])
  mkdirSync(join(folder.path, 'out'))
  const { code, stdout } = await runInTest(['report', 'p', '-o', 'out/r.html'], { cwd: folder.path })
  expect(code).toBe(0)
  expect(stdout).toMatch(
    new RegExp(
      `^out/r.html: 3 photos, ${3 * ROWS * COLUMNS} patches; of the 10 patches nearest to one, \\d+ % `,
    ),
  )
  const html = readFileSync(join(folder.path, 'out/r.html'), 'utf8')
  const { photos, scales } = dataOf(html)
  expect(scales).toHaveLength(WIDTH)
  for (const { codes, colors, groups, grid } of photos) {
    expect(Buffer.from(groups, 'base64')).toHaveLength(ROWS * COLUMNS)
    expect(grid).toEqual({ rows: ROWS, columns: COLUMNS })
    expect(Buffer.from(codes, 'base64')).toHaveLength(ROWS * COLUMNS * WIDTH)
    expect(Buffer.from(colors, 'base64')).toHaveLength(ROWS * COLUMNS * 4)
  }
  const names = [...html.matchAll(/<bdi class="name">(.*?)<\/bdi>/g)].map(([, name]) => name)
  expect(names).toEqual(['a.jpg', 'c.jpg', 'q/b.jpg'])
  expect(html).toContain(stdout.slice(stdout.indexOf('; ') + 2).trim())
  // Nothing else stays beside it.
  expect(readdirSync(join(folder.path, 'out'))).toEqual(['r.html'])
})

test('the same photos make the same bytes', async () => {
  using folder = folderWith(['a.jpg', 'b.jpg'])
  for (const name of ['1.html', '2.html'])
    expect((await runInTest(['report', 'a.jpg', 'b.jpg', '-o', name], { cwd: folder.path })).code).toBe(0)
  expect(readFileSync(join(folder.path, '1.html'), 'utf8')).toBe(
    readFileSync(join(folder.path, '2.html'), 'utf8'),
  )
})

test('what cannot be used is listed with its reason, and the others go on', async () => {
  using folder = folderWith({ 'a.jpg': 'a', 'bad.jpg': 'broken', 'c.jpg': 'c', 'unshown.jpg': 'd' })
  const { code, stderr } = await runInTest(
    ['report', 'a.jpg', 'bad.jpg', 'c.jpg', 'absent.jpg', 'unshown.jpg', '-o', 'r.html'],
    {
      cwd: folder.path,
      async reducePhoto(source) {
        if (String(source).endsWith('unshown.jpg')) throw new Error('no picture can be made of it')
        return { height: 1, width: 1, jpeg: Uint8Array.of(1) }
      },
    },
  )
  expect(code).toBe(1)
  expect(stderr).toMatch(/3 of 5 images failed; they are listed in r\.html/)
  const html = readFileSync(join(folder.path, 'r.html'), 'utf8')
  expect(dataOf(html).photos).toHaveLength(2)
  const listed = html.slice(html.indexOf('Not in this report'))
  for (const text of [
    'bad.jpg',
    'this is no image: it says so itself',
    'absent.jpg',
    'there is no such file',
    'no picture can be',
  ])
    expect(listed).toContain(text)
})

test('where nothing can be used no file is written', async () => {
  using folder = folderWith({ 'bad.jpg': 'broken' })
  const { code, stderr } = await runInTest(['report', 'bad.jpg', '-o', 'r.html'], { cwd: folder.path })
  expect(code).toBe(1)
  expect(stderr).toMatch(/nothing to report, and no file is written/)
  expect(existsSync(join(folder.path, 'r.html'))).toBe(false)
})

test('an older report is replaced, and no other file unless that is asked for', async () => {
  using folder = folderWith(['a.jpg', 'b.jpg'])
  const output = join(folder.path, 'r.html')
  const report = (...args: string[]) => runInTest(['report', ...args, '-o', 'r.html'], { cwd: folder.path })
  expect((await report('a.jpg')).code).toBe(0)
  const first = readFileSync(output, 'utf8')
  expect((await report('a.jpg', 'b.jpg')).code).toBe(0)
  expect(readFileSync(output, 'utf8')).not.toBe(first)
  writeFileSync(output, '<!doctype html><p>my own page')
  const { code, stderr } = await report('a.jpg')
  expect(code).toBe(2)
  expect(stderr).toMatch(/r\.html is there already, and is no report of plumage.*--restart/)
  expect(readFileSync(output, 'utf8')).toBe('<!doctype html><p>my own page')
  expect((await report('a.jpg', '--restart')).code).toBe(0)
  expect(readFileSync(output, 'utf8')).toBe(first)
})

test.each([
  [['a.jpg', '-o', 'r.png'], /file ending in \.html.*r\.png/],
  [['a.jpg', '-o', '-'], /file ending in \.html/],
  [['a.jpg'], /--output/],
  [['-o', 'r.html'], /No image was named/],
])('refused in one line before anything is computed: %j', async (args, message) => {
  using folder = folderWith(['a.jpg'])
  const { code, stderr } = await runInTest(['report', ...args], { cwd: folder.path })
  expect(code).toBe(2)
  expect(stderr).toMatch(message)
  expect(readdirSync(folder.path)).toEqual(['a.jpg'])
})

test('an interrupted run leaves what was there', async () => {
  using folder = folderWith(['a.jpg', 'b.jpg'])
  const interrupt = new AbortController()
  const { code, stderr } = await runInTest(['report', 'a.jpg', 'b.jpg', '-o', 'r.html'], {
    cwd: folder.path,
    signal: interrupt.signal,
    async reducePhoto() {
      interrupt.abort(new Error('SIGINT'))
      throw new Error('given up')
    },
  })
  expect([code, stderr]).toEqual([130, expect.stringMatching(/No report was written/)])
  expect(readdirSync(folder.path).sort()).toEqual(['a.jpg', 'b.jpg'])
})

test('an address is fetched once, for the model and for the picture', async () => {
  using folder = folderWith([])
  let asked = 0
  const server = createServer((_, response) => response.end(`photo ${asked++}`))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.jpg`
    const reduced: string[] = []
    const { code } = await runInTest(['report', address, '-o', 'r.html', '--allow-private-addresses'], {
      cwd: folder.path,
      async reducePhoto(source) {
        reduced.push(Buffer.from(source).toString())
        return { height: 1, width: 1, jpeg: Uint8Array.of(1) }
      },
    })
    expect([code, asked, reduced]).toEqual([0, 1, ['photo 0']])
  } finally {
    server.close()
  }
})

test('a hundred photos take less than 25 MB, however full each is', async () => {
  using folder = folderWith(Array.from({ length: 4 }, (_, i) => `${i}${'&'.repeat(200)}.jpg`))
  const grid = { rows: 85, columns: 85 }
  const encoder = standInEncoder()
  const random = new Float32Array(grid.rows * grid.columns * 32).map((_, i) => Math.sin(i * i))
  const { code } = await runInTest(['report', '.', '-o', 'r.html'], {
    cwd: folder.path,
    loadEncoder: async () => ({
      ...encoder,
      async *encodeAll(...given: Parameters<typeof encoder.encodeAll>) {
        for await (const found of encoder.encodeAll(...given))
          yield found.features === undefined
            ? found
            : {
                ...found,
                features: { ...found.features, grid, patches: random, layers: new Map([[0, random]]) },
              }
      },
    }),
    async reducePhoto(_, { mostBytes }) {
      return { height: 640, width: 640, jpeg: new Uint8Array(mostBytes) }
    },
  })
  expect(code).toBe(0)
  expect((25 * statSync(join(folder.path, 'r.html')).size) / 1e6).toBeLessThan(25)
})

test('names are text in the page, whatever is in them', async () => {
  const names = [
    '<img src=x onerror=alert(1)>.jpg',
    '"><script>alert(2)<!-- .jpg',
    "'&amp;\u202egpj.exe\u0007.jpg",
  ]
  using folder = folderWith(names.map((name) => name.replaceAll('/', '')))
  expect((await runInTest(['report', '.', '-o', 'r.html'], { cwd: folder.path })).code).toBe(0)
  const html = readFileSync(join(folder.path, 'r.html'), 'utf8')
  for (const text of ['<img src=x', 'alert(2)<!--', '\u0007']) expect(html).not.toContain(text)
  expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;.jpg')
  expect([...html.matchAll(/<script/g)]).toHaveLength(2)
})
