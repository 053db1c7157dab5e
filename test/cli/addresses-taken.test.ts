/**
 * Tries each place where the command takes a path with a file:, an s3: and an https: address: each works, or is refused by name before anything is computed, and none makes a
 * folder of that name; the short run leaves out file:, which is a path once it is resolved, and what takes long. `docs/addresses.md` has the table; `npx vitest run test/cli/addresses-taken.test.ts --update` writes it anew.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { CommandContext } from '../../src/cli/context.js'
import type { Encoder } from '../../src/encoder/types.js'
import { convertModel } from '../../src/platform/node/convert/convert-model.js'
import { findModel } from '../../src/platform/node/find-model.js'
import {
  type ImageSource,
  loadEncoder as load,
  openStorage,
  type Storage,
} from '../../src/platform/node/index.js'
import type { FileEncoder } from '../../src/work/file-encoder.js'
import { AzuriteServer, azuriteIsThere } from '../support/azurite-server.js'
import { GcsServer, gcsIsThere } from '../support/google-server.js'
import { LONG } from '../support/long.js'
import { MINI } from '../support/mini.js'
import { type S3Server, startS3Server, versitygw } from '../support/s3-server.js'
import { runInTest } from './run-in-test.js'

interface Row {
  readonly where: string
  /** Names the file that is read, or the one that is written. */
  readonly name: string
  readonly args: (address: string) => readonly string[]
  /** Says what is refused, with what its message has; all else works. */
  readonly refused?: { readonly s3?: string; readonly https?: string; readonly gs?: string }
  /** Leaves what works to the long run. */
  readonly isLong?: true
  /** Says in a phrase what is to be known. */
  readonly note?: string
}

const READ_ONLY = { https: "a web server's files can only be read" }
const IN = ['--in', 'c.plumage']
const TRAIN = ['--folds', '2', '--no-few-shot']

const INPUTS: readonly Row[] = [
  {
    where: 'photos of `embed`, `features`, `classify`, `picture`, `report`',
    name: 'a.png',
    args: (at) => ['embed', at, '--allow-private-addresses'],
    note: 'also from a list; `s3://bucket/prefix/` is all images below it',
  },
  {
    where: 'photos of `search`',
    name: 'a.png',
    args: (at) => ['search', at, ...IN, '--allow-private-addresses'],
  },
  {
    where: 'the photo of `search --box` and `--point`',
    name: 'a.png',
    args: (at) => ['search', at, '--box', '10%,10%,60%,80%', ...IN],
  },
  { where: 'the photo of `explain`', name: 'a.png', args: (at) => ['explain', at, '--vector', 'v.npy'] },
  { where: '`verify --photos`', name: 'a.png', args: (at) => ['verify', '--photos', at] },
  {
    where: 'models: `--model`, and the model of `info`, `pack`, `convert`, `bench`, `verify`, `compare`',
    name: basename(MINI),
    args: (at) => ['embed', 'a.png', '--model', at],
    note: 'a file, or a folder of files with usual names; kept in the cache, fetched again where it has changed',
  },
  {
    where: '`--head`',
    name: basename(MINI),
    args: (at) => ['embed', 'a.png', '--head', at],
    note: 'as `--model`',
  },
  {
    where: '`classify --classifier`',
    name: 'head.safetensors',
    args: (at) => ['classify', 'a.png', '--classifier', at],
  },
  {
    where: '`--vector` of `search` and `explain`',
    name: 'v.npy',
    args: (at) => ['search', '--vector', at, ...IN],
  },
  {
    where: '`picture pca --colors`',
    name: 'colors.json',
    args: (at) => ['picture', 'pca', 'a.png', '-o', 'p.png', '--restart', '--colors', at],
  },
  {
    where: '`picture similar --mask`',
    name: 'a.png',
    args: (at) => [
      ...['picture', 'similar', 'a.png', '-o', 'p.png', '--restart', '--mask', at],
      '--allow-private-addresses',
    ],
  },
  { where: '`label --from` a CSV file', name: 'labels.csv', args: (at) => ['label', '--from', at, ...IN] },
  {
    where: '`index --columns`',
    name: 'labels.csv',
    args: (at) => ['index', 'photos', '--columns', at, '--to', 'c.plumage'],
  },
  {
    where: 'the file of `collection import`',
    name: 'e.parquet',
    args: (at) => ['collection', 'import', at, '--to', 'i.plumage'],
  },
  {
    where: 'the source of `job create`',
    isLong: true,
    name: 'list.txt',
    args: (at) => ['job', 'create', at, '--to', `jobs/${Math.random()}`, '--rows-per-part', '2'],
  },
  {
    where: 'the folder of `compare`',
    isLong: true,
    name: 'photos',
    args: (at) => ['compare', 'small', 'small', at, ...TRAIN.slice(0, 2)],
    refused: { https: 'does not tell what it has' },
    note: 'a web server does not tell what it has',
  },
  {
    where: 'folders of `index`',
    name: 'photos',
    args: (at) => ['index', at, '--to', 'n.plumage'],
    refused: { https: 'plumage job create' },
    note: 'photos of a list of addresses are embedded by a job (`job create`, `job finish`)',
  },
]

const OUTPUTS: readonly Row[] = [
  {
    where: '`embed -o`',
    name: 'x.parquet',
    args: (to) => ['embed', 'a.png', '-o', to],
    refused: READ_ONLY,
    note: 'goes on after a kill',
  },
  {
    where: '`features -o` a folder',
    name: 'maps',
    args: (to) => ['features', 'a.png', '-o', to],
    refused: READ_ONLY,
    note: 'goes on after a kill',
  },
  {
    where: '`features -o` an array',
    name: 'x.npy',
    args: (to) => ['features', 'a.png', '-o', to],
    refused: READ_ONLY,
    note: 'goes on after a kill',
  },
  {
    where: '`classify -o`',
    name: 'x.jsonl',
    args: (to) => ['classify', 'a.png', '--classifier', 'head.safetensors', '-o', to],
    refused: READ_ONLY,
    note: 'goes on after a kill',
  },
  {
    where: '`merge -o`, and the shards that it joins',
    name: 'm.jsonl',
    args: (to) => ['merge', 's0.jsonl', 's1.jsonl', '-o', to],
    refused: READ_ONLY,
  },
  {
    where: '`picture -o` a file',
    name: 'p.png',
    args: (to) => ['picture', 'norms', 'a.png', '-o', to],
    refused: READ_ONLY,
  },
  {
    where: '`picture -o` a folder',
    name: 'pictures',
    args: (to) => ['picture', 'norms', 'a.png', '-o', to],
    refused: READ_ONLY,
  },
  {
    where: '`picture pca --save-colors`',
    name: 'colors.json',
    args: (to) => ['picture', 'pca', 'a.png', '-o', 'p.png', '--restart', '--save-colors', to],
    refused: READ_ONLY,
  },
  { where: '`report -o`', name: 'r.html', args: (to) => ['report', 'a.png', '-o', to], refused: READ_ONLY },
  {
    where: '`search -o`',
    name: 's.html',
    args: (to) => ['search', '--vector', 'v.npy', ...IN, '-o', to],
    refused: READ_ONLY,
  },
  { where: '`map -o`', name: 'map.svg', args: (to) => ['map', ...IN, '-o', to], refused: READ_ONLY },
  {
    where: '`label --train`',
    name: 'h.safetensors',
    args: (to) => ['label', ...IN, '--train', to, ...TRAIN],
    refused: READ_ONLY,
  },
  {
    where: '`label --confusion`',
    name: 'c.png',
    args: (to) => ['label', ...IN, '--train', 'h.safetensors', '--confusion', to, ...TRAIN],
    refused: READ_ONLY,
  },
  {
    where: '`collection export`',
    name: 'e.parquet',
    args: (to) => ['collection', 'export', to, ...IN],
    refused: READ_ONLY,
  },
  {
    where: '`duplicates --report`',
    isLong: true,
    name: 'd.html',
    args: (to) => ['duplicates', ...IN, '--report', to],
    refused: READ_ONLY,
  },
  {
    where: '`convert`',
    name: 'timm',
    args: (to) => ['convert', MINI, to, '--to', 'timm'],
    refused: READ_ONLY,
    note: 'made and read back on this machine, then sent',
  },
  {
    where: 'collections: `--in`, `--to`',
    name: 'n.plumage',
    args: (to) => ['index', 'photos', '--to', to],
    refused: { https: 'is no place for a collection', gs: 'is no place for a collection' },
    note: 'PostgreSQL as well; not `gs:`',
  },
  {
    where: 'jobs: `job create --to`',
    isLong: true,
    name: 'job',
    args: (to) => ['job', 'create', 'list.txt', '--to', to, '--rows-per-part', '2'],
    refused: { https: 'can only be read' },
  },
  {
    where: '`search --mirror`',
    name: 'mirror',
    args: (to) => ['search', '--vector', 'v.npy', '--in', 's3://bucket/out/n.plumage', '--mirror', to],
    refused: { s3: 'name a folder', https: 'name a folder' },
    note: 'is a copy on this machine',
  },
  {
    where: '`duplicates --move-to`',
    name: 'moved',
    args: (to) => ['duplicates', ...IN, '--move-to', to],
    refused: { s3: 'name a folder', https: 'name a folder' },
    note: 'photos are moved on the disks of this machine',
  },
]

function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(({ where, refused = {}, note = '' }) => {
    const cell = (kind: 's3' | 'https') => (refused[kind] === undefined ? 'yes' : 'refused')
    return `| ${where} | yes | ${cell('s3')} | ${cell('https')} | ${note} |`
  })
  return ['| where | `file:` | `s3:` | `https:` | |', '|---|---|---|---|---|', ...lines].join('\n')
}

test('docs/addresses.md says what is tried here', async () => {
  const template = readFileSync(join(import.meta.dirname, 'addresses-taken.md'), 'utf8')
  const text = template
    .replace('<!-- inputs -->', tableOf(INPUTS))
    .replace('<!-- outputs -->', tableOf(OUTPUTS))
  await expect(text).toMatchFileSnapshot('../../docs/addresses.md')
})

describe.skipIf(versitygw === undefined)('with a bucket and a web server', () => {
  let server: S3Server
  let storage: Storage
  /** Are tried in the long run alone: what is S3's, Azure's and Google's own, the tests of storage try. */
  const others: {
    readonly kind: 'az' | 'gs'
    readonly server: AzuriteServer | GcsServer
    readonly storage: Storage
  }[] = []
  let cwd = ''
  const before = { ...process.env }
  const web = createServer((request, response) => {
    const file = join(cwd, decodeURIComponent(new URL(request.url ?? '', 'http://x').pathname))
    if (!existsSync(file) || basename(file) === 'photos') return void response.writeHead(404).end()
    const body = readFileSync(file)
    response.writeHead(200, { etag: `"${body.length}"`, 'content-length': body.length })
    response.end(request.method === 'HEAD' ? undefined : body)
  })

  const storageOf = (kind: string) =>
    kind === 's3' ? storage : others.find((other) => other.kind === kind)?.storage

  /** Reads what a command hands on as the place of a photo. */
  async function bytesOf(source: string): Promise<Uint8Array | string> {
    const [, kind, key = ''] = /^(s3|az|gs):\/\/[^/]+\/(.*)$/.exec(source) ?? []
    if (kind !== undefined) return (await storageOf(kind)?.read(key))?.bytes ?? new Uint8Array()
    return source.startsWith('http') ? new Uint8Array(await (await fetch(source)).arrayBuffer()) : source
  }
  /** Is loaded once, and stays when a command gives it back. */
  let shared: Encoder<ImageSource>
  const kept = new Proxy({} as FileEncoder, {
    get(_, name) {
      if (name === Symbol.dispose || name === Symbol.asyncDispose) return () => {}
      const value: unknown = Reflect.get(shared, name, shared)
      return typeof value === 'function' ? value.bind(shared) : value
    },
  })
  const loadEncoder: CommandContext['loadEncoder'] = async (model, { head, onWarning = () => {} }) => {
    const named = model === 'small' ? MINI : model
    await findModel(named, { onWarning, ...(head === undefined ? {} : { head }) })
    return kept
  }
  const run = (args: readonly string[]) =>
    runInTest(args, {
      cwd,
      loadEncoder,
      convertModel,
      explainVector: async (photo) => {
        expect((await bytesOf(photo)).length).toBeGreaterThan(0)
        return {
          verdict: 'same',
          cosine: 1,
          reading: '',
          isUnitLength: false,
          changes: [],
          ownCosine: 1,
          runs: 1,
        }
      },
      verifyModel: async (_model, { photos = [] }) => {
        for (const photo of photos) expect((await bytesOf(String(photo))).length).toBeGreaterThan(0)
        throw new Error('tried')
      },
    })

  beforeAll(async () => {
    server = await startS3Server()
    Object.assign(process.env, server.env)
    await server.makeBucket('bucket')
    storage = await openStorage('s3://bucket')
    if (LONG && azuriteIsThere) {
      const azurite = await AzuriteServer.start()
      await azurite.makeContainer('container')
      Object.assign(process.env, azurite.env)
      others.push({ kind: 'az', server: azurite, storage: await openStorage('az://container') })
    }
    if (LONG && gcsIsThere) {
      const gcs = await GcsServer.start()
      await gcs.makeBucket('container')
      Object.assign(process.env, gcs.env)
      others.push({ kind: 'gs', server: gcs, storage: await openStorage('gs://container') })
    }
    cwd = mkdtempSync(join(tmpdir(), 'plumage-addresses-'))
    for (const made of ['out', 'jobs']) mkdirSync(join(cwd, made))
    vi.stubEnv('PLUMAGE_CACHE', join(cwd, '.cache'))
    shared = await load(MINI, { allowPrivateAddresses: true })
    const photo = (level: number) =>
      sharp({
        create: { width: 42 + level, height: 28, channels: 3, background: { r: level, g: 90, b: 200 } },
      })
        .png()
        .toBuffer()
    for (const [at, name] of [
      'photos/x/1.png',
      'photos/x/2.png',
      'photos/y/3.png',
      'photos/y/4.png',
      'a.png',
    ].entries()) {
      mkdirSync(join(cwd, name, '..'), { recursive: true })
      writeFileSync(join(cwd, name), await photo(40 * at))
    }
    cpSync(MINI, join(cwd, basename(MINI)))
    const table = ['photos/x/1.png,x', 'photos/x/2.png,x', 'photos/y/3.png,y', 'photos/y/4.png,y']
    writeFileSync(join(cwd, 'labels.csv'), `path,label\n${table.join('\n')}\n`)
    writeFileSync(join(cwd, 'list.txt'), `${cwd}/photos/x/1.png\n${cwd}/photos/y/3.png\n`)
    for (const args of [
      ['embed', 'a.png', '-o', 'v.npy'],
      ['embed', 'photos', '--shard', '0/2', '-o', 's0.jsonl'],
      ['embed', 'photos', '--shard', '1/2', '-o', 's1.jsonl'],
      ['index', 'photos', '--to', 'c.plumage'],
      ['label', '--from', 'folders', ...IN],
      ['label', ...IN, '--train', 'head.safetensors', ...TRAIN],
      ['collection', 'export', 'e.parquet', ...IN],
      ['picture', 'pca', 'a.png', '-o', 'p.png', '--save-colors', 'colors.json'],
    ])
      expect([args, await run(args)]).toEqual([
        args,
        { code: 0, stdout: expect.any(String), stderr: expect.any(String) },
      ])
    const names = [
      ...INPUTS.map(({ name }) => name),
      'photos/x/1.png',
      'photos/x/2.png',
      'photos/y/3.png',
      'photos/y/4.png',
    ]
    for (const name of new Set(names))
      for (const place of name === 'photos' ? [] : [storage, ...others.map((other) => other.storage)])
        await place.write(`in/${name}`, readFileSync(join(cwd, name)))
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
  }, 60_000)
  afterAll(async () => {
    vi.unstubAllEnvs()
    for (const name of [server, ...others.map((other) => other.server)].flatMap(({ env }) =>
      Object.keys(env),
    )) {
      const value = before[name]
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
    await shared[Symbol.asyncDispose]()
    web.closeAllConnections()
    web.close()
    await storage[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    for (const other of others) {
      await other.storage[Symbol.asyncDispose]()
      await other.server[Symbol.asyncDispose]()
    }
    rmSync(cwd, { recursive: true, force: true })
  })

  const addressesOf = (name: string, isInput: boolean) => {
    const origin = `http://127.0.0.1:${(web.address() as AddressInfo).port}`
    return {
      file: `file://${cwd}/${isInput ? '' : 'out/'}${name}`,
      s3: `s3://bucket/${isInput ? 'in' : 'out'}/${name}`,
      https: `${origin}/${name}`,
      ...Object.fromEntries(
        others.map(({ kind }) => [kind, `${kind}://container/${isInput ? 'in' : 'out'}/${name}`]),
      ),
    }
  }

  test.each(OUTPUTS)(
    '$where in a folder that is not there is refused, with the one that was meant',
    async ({ name, args }) => {
      const { code, stdout, stderr } = await run(args(`ouf/further/${name}`))
      expect({ code, stdout, stderr }).toEqual({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(
          /lies in a folder that is not there: \. has no ouf\. Did you mean out\? Otherwise make it: mkdir -p ouf.further\n$/,
        ),
      })
      expect(existsSync(join(cwd, 'ouf'))).toBe(false)
    },
  )

  test.each([
    ...INPUTS.map((row) => ({ ...row, isInput: true })),
    ...OUTPUTS.map((row) => ({ ...row, isInput: false })),
  ])(
    '$where',
    async ({ name, args, refused = {}, isInput, isLong = false }) => {
      for (const [kind, address] of Object.entries(addressesOf(name, isInput))) {
        const isLikeS3 = kind === 'az' || kind === 'gs'
        const message = refused[kind as 's3' | 'https' | 'gs'] ?? (isLikeS3 ? refused.s3 : undefined)
        if (!LONG && (kind === 'file' || (isLong && message === undefined))) continue
        const { code, stderr } = await run(args(address))
        if (message !== undefined)
          expect([kind, code, stderr]).toEqual([kind, 2, expect.stringContaining(message)])
        // A model is tried in a test of its own.
        else if (args('')[0] === 'verify') expect([kind, stderr]).toEqual([kind, 'plumage: tried\n'])
        else expect([kind, code, stderr]).toEqual([kind, 0, expect.any(String)])
      }
      expect(readdirSync(cwd).filter((entry) => entry.includes(':'))).toEqual([])
    },
    30_000,
  )
})
