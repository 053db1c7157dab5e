/** Compiles every TypeScript snippet of the documents as a reader's own strict project would: those for pages and those for Node apart. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')

const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  // Our own declarations are judged too.
  skipLibCheck: false,
  noEmit: true,
  target: 'ES2022',
  module: 'ESNext',
  moduleResolution: 'Bundler',
}
const PAGE_LIB = ['ES2023', 'ESNext.Disposable', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable']

async function snippets(): Promise<ReadonlyMap<string, string>> {
  const docs = (await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md'))
  const found = new Map<string, string>()
  for (const file of ['README.md', ...docs.map((name) => `docs/${name}`)]) {
    const text = await readFile(join(root, file), 'utf8')
    for (const [index, [, code = '']] of [...text.matchAll(/```ts\n(.*?)```/gs)].entries())
      found.set(`${file.replace(/\W/g, '-')}-${index}.mts`, code)
  }
  return found
}

/** Compiles files in a folder of their own, where the package and Node's types are installed; gives what the compiler says. */
async function compile(files: ReadonlyMap<string, string>, options: object): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'plumage-snippets-'))
  try {
    await mkdir(join(folder, 'node_modules/@types'), { recursive: true })
    await symlink(root, join(folder, 'node_modules/plumage'))
    await symlink(join(root, 'node_modules/@types/node'), join(folder, 'node_modules/@types/node'))
    await symlink(join(root, 'node_modules/sharp'), join(folder, 'node_modules/sharp'))
    // Each snippet is a module, also where it imports nothing.
    for (const [name, code] of files) await writeFile(join(folder, name), `${code}\nexport {}\n`)
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...STRICT, ...options } }),
    )
    const tsc = join(root, 'node_modules/.bin/tsc')
    return await run(tsc, ['-p', folder, '--pretty', 'false']).then(
      ({ stdout }) => stdout,
      ({ stdout, message }: { stdout?: string; message: string }) => stdout || message,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const forPages = (code: string) => code.includes('plumage/browser')

test('the snippets for Node compile strictly', async () => {
  const files = new Map([...(await snippets())].filter(([, code]) => !forPages(code)))
  expect(files.size).toBeGreaterThanOrEqual(4)
  expect(await compile(files, { lib: ['ES2023', 'ESNext.Disposable'], types: ['node'] })).toBe('')
})

test('the snippets for pages compile strictly, without a word of Node', async () => {
  const files = new Map([...(await snippets())].filter(([, code]) => forPages(code)))
  expect(files.size).toBeGreaterThanOrEqual(1)
  expect(await compile(files, { lib: PAGE_LIB, types: [] })).toBe('')
})

const DOORS = ['plumage', 'plumage/node', 'plumage/birder']

test.each([
  ['with `types: []` and the usual lib', [...DOORS, 'plumage/browser'], {}],
  // A page's door names what only pages have.
  ['with `types: []` and the language alone', DOORS, { lib: ['ES2022'] }],
])('the declarations of the doors compile %s', async (_project, doors, options) => {
  const code = doors.map((door, i) => `export * as door${i} from '${door}'`).join('\n')
  expect(await compile(new Map([['doors.mts', code]]), { types: [], ...options })).toBe('')
})

test('results have the types that go with what was asked for', async () => {
  const code = `
    import { inferImage, type BirderNet, type ClassificationTransform } from 'plumage/birder'
    import { loadEncoder } from 'plumage/node'
    declare const net: BirderNet
    declare const transform: ClassificationTransform
    const [, embedding] = await inferImage(net, 'a.jpg', transform, { returnEmbedding: true })
    embedding.data
    const [, none] = await inferImage(net, 'a.jpg', transform)
    // @ts-expect-error it may be null
    none.data
    const encoder = await loadEncoder()
    for await (const { source } of encoder.encodeAll([new URL('file:///a.jpg')])) source.href
    // @ts-expect-error the option is called size
    await loadEncoder('small', { sise: 224 })
  `
  expect(await compile(new Map([['results.mts', code]]), { lib: PAGE_LIB, types: [] })).toBe('')
})
