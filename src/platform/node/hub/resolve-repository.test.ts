/** Checks where a repository's files come from: Python's cache first, then ours, then a server that answers as Hugging Face does. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { serve, someBytes, startServer, temporaryFolder } from '../../../../test/support/weights-server.js'
import { resolveRepository } from './resolve-repository.js'

const COMMIT = '0123456789abcdef0123456789abcdef01234567'
const REPOSITORY = { kind: 'repository', id: 'somebody/tiny', revision: 'main' } as const
const weights = someBytes(5000).bytes
const config = Buffer.from('{"model_type":"dinov2"}')

type Files = Readonly<Record<string, Uint8Array>>

/** Gives each test a server in the place of Hugging Face and a cache of its own. */
async function house(files: Files, listed: Files = files) {
  const server = await startServer((request, response) => {
    const path = (request.url ?? '').split('?')[0]
    if (/^\/api\/models\/somebody\/tiny\/revision\/(main|refs%2Fpr%2F3)$/.test(path ?? '')) {
      const body = Buffer.from(JSON.stringify(listing(listed)))
      return serve(request, response, body)
    }
    const file = files[path?.replace(`/somebody/tiny/resolve/${COMMIT}/`, '') ?? '']
    if (file !== undefined) return serve(request, response, file)
    response.writeHead(404).end()
  })
  const folder = await temporaryFolder()
  const at = (...parts: string[]) => join(folder.path, ...parts)
  const env = { PLUMAGE_CACHE: at('cache'), HF_ENDPOINT: server.origin, HF_HOME: at('python') }
  const close = async () => {
    await server[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  }
  return { server, env, at, [Symbol.asyncDispose]: close }
}

function listing(files: Files) {
  return {
    sha: COMMIT,
    siblings: Object.entries(files).map(([rfilename, bytes]) => ({
      rfilename,
      size: bytes.length,
      ...(rfilename.endsWith('.json')
        ? {}
        : { lfs: { sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.length } }),
    })),
  }
}

async function put(path: string, bytes: Uint8Array | string) {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, bytes)
}

test('it is downloaded with its config by its commit once, and afterwards nothing is asked', async () => {
  await using home = await house({
    'config.json': config,
    'README.md': Buffer.from('#'),
    'model.safetensors': weights,
    'pytorch_model.bin': Buffer.from('not asked for'),
  })
  const path = await resolveRepository(REPOSITORY, { env: home.env })
  expect(path).toBe(
    home.at('python', 'hub', 'models--somebody--tiny', 'snapshots', COMMIT, 'model.safetensors'),
  )
  expect(new Uint8Array(await readFile(path))).toEqual(new Uint8Array(weights))
  expect(readdirSync(dirname(path))).toEqual(['config.json', 'model.safetensors'])
  const asked = home.server.requests.length
  // The listing, the config, whose hash this one does not give, so that its headers were asked for, and the weights.
  expect(home.server.requests.map(({ method }) => method)).toEqual(['GET', 'HEAD', 'GET', 'GET'])
  expect(await resolveRepository(REPOSITORY, { env: home.env, offline: true })).toBe(path)
  expect(home.server.requests.length).toBe(asked)
})

test.each([
  ['{"model_type":"vjepa2"}', /V-JEPA 2.*its config\.json calls it vjepa2/],
  ['{"model_type":"dinov3_convnext"}', /ConvNeXt/],
  ['{"architecture":"fastvit_mci0"}', /MobileCLIP/],
])(
  'what its config calls a network that is not run is refused before its weights are asked for: %s',
  async (text, message) => {
    await using home = await house({ 'config.json': Buffer.from(text), 'model.safetensors': weights })
    await expect(resolveRepository(REPOSITORY, { env: home.env })).rejects.toMatchObject({
      code: 'unsupported-network',
      message: expect.stringMatching(message),
    })
    expect(home.server.requests.map(({ url }) => url?.split('/').at(-1))).not.toContain('model.safetensors')
  },
)

test('what Python has downloaded is used where it lies, and nothing is asked', async () => {
  await using home = await house({})
  const snapshot = home.at('python', 'hub', 'models--somebody--tiny', 'snapshots', COMMIT)
  await put(home.at('python', 'hub', 'models--somebody--tiny', 'refs', 'main'), COMMIT)
  await put(home.at('python', 'hub', 'models--somebody--tiny', 'blobs', 'one'), weights)
  await put(join(snapshot, 'config.json'), config)
  await symlink('../../blobs/one', join(snapshot, 'model.safetensors'))
  expect(await resolveRepository(REPOSITORY, { env: home.env })).toBe(join(snapshot, 'model.safetensors'))
  expect(home.server.requests).toEqual([])
})

test('a snapshot of Python that holds a config alone is passed over', async () => {
  await using home = await house({ 'model.safetensors': weights })
  await put(home.at('python', 'hub', 'models--somebody--tiny', 'refs', 'main'), COMMIT)
  await put(home.at('python', 'hub', 'models--somebody--tiny', 'snapshots', COMMIT, 'config.json'), config)
  expect(await resolveRepository(REPOSITORY, { env: home.env })).toContain('model.safetensors')
})

test('a snapshot of Python that lacks files which its index names is passed over, and taken once they are there', async () => {
  await using home = await house({ 'model.safetensors': weights })
  const python = (...parts: string[]) => home.at('python', 'hub', 'models--somebody--tiny', ...parts)
  const index = 'pytorch_model.bin.index.json'
  await put(python('refs', 'main'), COMMIT)
  await put(python('snapshots', COMMIT, index), '{"weight_map": {"a": "1.bin", "b": "2.bin"}}')
  await put(python('snapshots', COMMIT, '1.bin'), weights)
  await expect(resolveRepository(REPOSITORY, { env: home.env, offline: true })).rejects.toMatchObject({
    code: 'offline',
  })
  await put(python('snapshots', COMMIT, '2.bin'), weights)
  expect(await resolveRepository(REPOSITORY, { env: home.env })).toBe(python('snapshots', COMMIT, index))
})

test.each([
  ['model', 'safetensors'],
  ['pytorch_model', 'bin'],
])('of a checkpoint in several files every part comes before the index: %s in .%s', async (name, ending) => {
  const parts = [1, 2].map((part) => `${name}-0000${part}-of-00002.${ending}`)
  const index = `${name}.${ending}.index.json`
  await using home = await house({
    [index]: Buffer.from('{"weight_map":{}}'),
    ...Object.fromEntries(parts.map((part) => [part, weights])),
    [`other.${ending}`]: weights,
  })
  const path = await resolveRepository(REPOSITORY, { env: home.env })
  expect(readdirSync(dirname(path))).toEqual([...parts, index].sort())
  expect(home.server.requests.at(-1)?.url).toContain('index.json')
})

test('bytes that are not those of the listing are refused, and nothing is left under the name', async () => {
  await using home = await house(
    { 'model.safetensors': weights },
    { 'model.safetensors': someBytes(5000).bytes },
  )
  await expect(resolveRepository(REPOSITORY, { env: home.env })).rejects.toMatchObject({ code: 'wrong-hash' })
  expect(
    existsSync(home.at('python', 'hub', 'models--somebody--tiny', 'snapshots', COMMIT, 'model.safetensors')),
  ).toBe(false)
})

test('a repository that is not there, one without weights and one that may not be asked for are told apart', async () => {
  await using home = await house({ 'config.json': config })
  await expect(
    resolveRepository({ ...REPOSITORY, id: 'somebody/gone' }, { env: home.env }),
  ).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining('somebody/gone is no file or folder'),
  })
  await expect(resolveRepository(REPOSITORY, { env: home.env })).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining('it has config.json'),
  })
  await expect(
    resolveRepository({ ...REPOSITORY, id: 'somebody/other' }, { env: home.env, offline: true }),
  ).rejects.toMatchObject({ code: 'offline', message: expect.stringContaining('hf download somebody/other') })
})

test.each([false, true])(
  'a slip in a known name is answered with that name; offline: %s',
  async (offline) => {
    await using home = await house({})
    const slip = { ...REPOSITORY, id: 'facebook/dinov2-smal' }
    await expect(resolveRepository(slip, { env: home.env, offline })).rejects.toMatchObject({
      code: offline ? 'offline' : 'not-found',
      message: expect.stringContaining('Did you mean facebook/dinov2-small?'),
    })
  },
)

test('names of files that lead out of the folder are not fetched', async () => {
  await using home = await house(
    { 'model.safetensors': weights },
    {
      '../../evil.safetensors': weights,
      'model.safetensors': weights,
    },
  )
  const path = await resolveRepository(REPOSITORY, { env: home.env })
  expect(readdirSync(dirname(path))).toEqual(['model.safetensors'])
})

test('a model in a folder of a repository lies and is asked for as in Python, and its files do not lie beside those at the top', async () => {
  await using home = await house({
    'config.json': Buffer.from('{"model_type":"other"}'),
    'encoder/config.json': config,
    'encoder/model.safetensors': weights,
  })
  const inFolder = { ...REPOSITORY, subfolder: 'encoder' }
  const snapshot = home.at('python', 'hub', 'models--somebody--tiny', 'snapshots', COMMIT)
  const path = await resolveRepository(inFolder, { env: home.env })
  expect(path).toBe(join(snapshot, 'encoder', 'model.safetensors'))
  expect(new Uint8Array(await readFile(path))).toEqual(new Uint8Array(weights))
  expect(await readFile(join(snapshot, 'encoder', 'config.json'))).toEqual(config)
  expect(readdirSync(snapshot)).toEqual(['encoder'])
  expect(await resolveRepository(inFolder, { env: home.env, offline: true })).toBe(path)
  await expect(resolveRepository(REPOSITORY, { env: home.env })).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringMatching(/folders are encoder: .*--subfolder/),
  })
  await expect(
    resolveRepository(
      { ...REPOSITORY, id: 'somebody/other', subfolder: 'a' },
      { env: home.env, offline: true },
    ),
  ).rejects.toThrow(/plumage pull somebody\/other --subfolder a/)
})

test('a revision with slashes is one part of an address, and its commit is noted where Python looks', async () => {
  await using home = await house({ 'model.safetensors': weights })
  const request = { ...REPOSITORY, revision: 'refs/pr/3' }
  const path = await resolveRepository(request, { env: home.env })
  const folder = home.at('python', 'hub', 'models--somebody--tiny')
  expect(await readFile(join(folder, 'refs', 'refs', 'pr', '3'), 'utf8')).toBe(COMMIT)
  expect(await resolveRepository(request, { env: home.env, offline: true })).toBe(path)
})

test('a server that gives no hash of a file is told of in one line, and one that does is not', async () => {
  await using home = await house({ 'config.json': config, 'model.safetensors': weights })
  const warnings: string[] = []
  const onWarning = (message: string) => warnings.push(message)
  await resolveRepository(REPOSITORY, { env: home.env, onWarning })
  // The server of this test gives hashes of weights alone.
  expect(warnings).toEqual([expect.stringMatching(/gives no hash of config\.json of somebody\/tiny/)])
  await resolveRepository(REPOSITORY, { env: home.env, onWarning })
  expect(warnings).toHaveLength(1)
})
