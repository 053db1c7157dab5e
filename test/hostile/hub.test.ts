/** Checks what is fetched from a hub that behaves, and that each way in which one does not ends in its own error or in the right bytes. */
import { existsSync, readdirSync } from 'node:fs'
import { lstat, mkdir, readFile, readlink, rename, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import {
  type CachedModel,
  listCache,
  removeCached,
  type VerifiedFile,
  verifyCached,
} from '../../src/platform/node/hub/cache-contents.js'
import { pullModel } from '../../src/platform/node/hub/pull-model.js'
import { resolveRepository } from '../../src/platform/node/hub/resolve-repository.js'
import { COMMIT, type FakeRepository, gitHashOf, refuse, startFakeHub } from '../support/fake-hub.js'
import { serve, sha256Of, someBytes, temporaryFolder } from '../support/weights-server.js'

const weights = someBytes(300_000).bytes
const files = {
  'config.json': Buffer.from('{"model_type":"dinov2"}'),
  'preprocessor_config.json': Buffer.from('{"crop":1}'),
  LICENSE: Buffer.from('Terms'),
  'README.md': Buffer.from('# Tiny'),
  'model.safetensors': weights,
  'optimizer.bin': Buffer.from('not part of the model'),
}

async function house(changes: Partial<FakeRepository> = {}, own: Record<string, Uint8Array> = files) {
  const fake = await startFakeHub({ ...own }, changes)
  const folder = await temporaryFolder()
  const at = (...parts: string[]) => join(folder.path, ...parts)
  const python = (...parts: string[]) => at('python', 'hub', 'models--somebody--tiny', ...parts)
  const env = {
    HF_ENDPOINT: fake.hub.origin,
    HF_HOME: at('python'),
    PLUMAGE_CACHE: at('cache'),
    TORCH_HOME: at('torch'),
  }
  const close = async () => {
    await fake[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  }
  return { ...fake, env, at, python, options: { env, retryDelayMs: 1 }, [Symbol.asyncDispose]: close }
}

async function statesOf(model: CachedModel): Promise<readonly VerifiedFile[]> {
  const states: VerifiedFile[] = []
  for await (const state of verifyCached(model)) states.push(state)
  return states
}

test('pulling brings the whole set as the library of the hub keeps it, and a second time nothing', async () => {
  await using home = await house()
  const pulled = await pullModel('somebody/tiny', home.options)
  expect(pulled.files.map(({ name, role }) => [name, role])).toEqual([
    ['config.json', 'config'],
    ['preprocessor_config.json', 'recipe'],
    ['LICENSE', 'licence'],
    ['README.md', 'readme'],
    ['model.safetensors', 'weights'],
  ])
  expect(pulled).toMatchObject({ commit: COMMIT, licence: 'apache-2.0', changes: [] })
  expect(pulled.use).toContain('notices')
  const blob = home.python('blobs', sha256Of(weights))
  expect(await readlink(home.python('snapshots', COMMIT, 'model.safetensors'))).toBe(
    `../../blobs/${sha256Of(weights)}`,
  )
  expect(new Uint8Array(await readFile(blob))).toEqual(new Uint8Array(weights))
  expect(readdirSync(home.python('blobs'))).toContain(gitHashOf(files['config.json']))
  expect(readdirSync(home.python('blobs')).filter((name) => name.includes('incomplete'))).toEqual([])
  expect(await readFile(home.python('refs', 'main'), 'utf8')).toBe(COMMIT)
  const again = await pullModel('somebody/tiny', home.options)
  expect(again.files.some(({ downloaded }) => downloaded)).toBe(false)
  expect(home.store.requests).toHaveLength(1)
})

test('weights that two names share are pulled once, and keep the name that says what is built of them', async () => {
  await using home = await house({ id: 'timm/vit_base_patch16_clip_224.openai' })
  const asked = 'timm/vit_base_patch16_clip_quickgelu_224.openai'
  const [pulled, shared] = [
    await pullModel(asked, home.options),
    await pullModel('timm/vit_base_patch16_clip_224.openai', home.options),
  ]
  expect([pulled.name, shared.name]).toEqual([asked, 'timm/vit_base_patch16_clip_224.openai'])
  expect(shared.files.map(({ path }) => path)).toEqual(pulled.files.map(({ path }) => path))
  await expect(pullModel('ViT-L-14/openai', home.options)).rejects.toMatchObject({ code: 'no-address' })
})

test('a file that is not there is noted as Python notes it', async () => {
  await using home = await house({}, { 'model.safetensors': weights })
  await pullModel('somebody/tiny', home.options)
  expect(readdirSync(home.python('.no_exist', COMMIT))).toEqual([
    'config.json',
    'open_clip_config.json',
    'preprocessor_config.json',
    'processor_config.json',
  ])
})

test('where links are forbidden the files lie in the snapshot themselves', async () => {
  await using home = await house()
  const env = { ...home.env, HF_HUB_DISABLE_SYMLINKS: '1' }
  const path = await resolveRepository({ id: 'somebody/tiny', revision: 'main' }, { env })
  expect((await lstat(path)).isSymbolicLink()).toBe(false)
  expect(readdirSync(home.python('blobs'))).toEqual([])
  await pullModel('somebody/tiny', { env })
  expect(home.store.requests).toHaveLength(1)
})

test('a blob that is a link into the shared store is used, counted apart and left alone', async () => {
  await using home = await house()
  await pullModel('somebody/tiny', home.options)
  const shared = home.at('python', 'hub', 'blobs', 'ab', `ab${'0'.repeat(62)}`)
  const blob = home.python('blobs', sha256Of(weights))
  await mkdir(dirname(shared), { recursive: true })
  await rename(blob, shared)
  await symlink(`../../blobs/ab/ab${'0'.repeat(62)}`, blob)
  const path = await resolveRepository(
    { id: 'somebody/tiny', revision: 'main' },
    { env: home.env, offline: true },
  )
  expect(new Uint8Array(await readFile(path))).toEqual(new Uint8Array(weights))
  const [model] = await listCache(home.env)
  expect(model).toMatchObject({ name: 'somebody/tiny', sharedSize: weights.length })
  if (model === undefined) return
  const states = await statesOf(model)
  expect(states.map(({ state }) => state)).toEqual(Array(5).fill('whole'))
  await removeCached(model)
  expect(existsSync(model.path)).toBe(false)
  expect(existsSync(shared)).toBe(true)
})

test('a changed byte is found when a cache is verified', async () => {
  await using home = await house()
  await pullModel('somebody/tiny', home.options)
  await writeFile(home.python('blobs', sha256Of(weights)), someBytes(300_000).bytes)
  const [model] = await listCache(home.env)
  const states = model === undefined ? [] : await statesOf(model)
  expect(states.filter(({ state }) => state === 'damaged').map(({ path }) => path)).toEqual([
    home.python('blobs', sha256Of(weights)),
  ])
})

test('the token goes to the hub and never to the host that it redirects to; a file may hold it', async () => {
  await using home = await house()
  await mkdir(home.at('python'), { recursive: true })
  await writeFile(home.at('python', 'token'), 'secret\n')
  await pullModel('somebody/tiny', home.options)
  expect(new Set(home.hub.requests.map(({ headers }) => headers.authorization))).toEqual(
    new Set(['Bearer secret']),
  )
  expect(home.store.requests.map(({ headers }) => headers.authorization)).toEqual([undefined])
})

test('a cut after which the signed address has expired goes on with a new one, and no byte comes twice', async () => {
  await using home = await house()
  home.repository.storeFirst = (request, response, visit) => {
    if (visit === 0) serve(request, response, weights, { cutAfter: 200_000 })
    return visit === 0
  }
  const pulled = await pullModel('somebody/tiny', home.options)
  expect(new Uint8Array(await readFile(pulled.files.at(-1)?.path ?? ''))).toEqual(new Uint8Array(weights))
  expect(home.store.requests.map(({ url }) => url?.split('=')[1])).toEqual(['1', '2'])
  expect(home.sent()).toBe(weights.length)
})

test('an address that has expired already is asked for again', async () => {
  await using home = await house()
  home.repository.storeFirst = (_, response, visit) => {
    if (visit === 0) response.writeHead(403).end('<Error/>')
    return visit === 0
  }
  expect((await pullModel('somebody/tiny', home.options)).files).toHaveLength(5)
})

test.each([
  [401, 'RepoNotFound', 'not-found', 'no such repository'],
  [403, 'GatedRepo', 'gated', 'Ask for access'],
  [404, 'RevisionNotFound', 'not-found', 'no such branch'],
] as const)('%d with %s is told by its name', async (status, code, expected, message) => {
  await using home = await house({
    hubFirst: (_, response) => {
      refuse(response, status, code)
      return true
    },
  })
  const refused = await pullModel('somebody/tiny', home.options).catch((error) => error)
  expect(refused).toMatchObject({ code: expected, message: expect.stringContaining(message) })
})

test('of a gated repository the open one is named, with what it does otherwise', async () => {
  await using home = await house({
    hubFirst: (_, response) => {
      refuse(response, 403, 'GatedRepo')
      return true
    },
  })
  await expect(pullModel('facebook/dinov3-vits16-pretrain-lvd1689m', home.options)).rejects.toMatchObject({
    code: 'gated',
    message: expect.stringMatching(/timm\/vit_small_patch16_dinov3\.lvd1689m.*mean of the patches/),
  })
})

test.each([
  ['<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>', '<?xml version="1.0"?>'],
  ['<!DOCTYPE html><html>', '<!DOCTYPE html><html>'],
  ['{"error": "no"}', '{"error": "no"}'],
])('a text where weights were expected is refused with its first line', async (text, line) => {
  await using home = await house()
  home.repository.storeFirst = (_, response) => {
    response.end(Buffer.concat([Buffer.from(text), Buffer.alloc(weights.length - text.length, 32)]))
    return true
  }
  await expect(pullModel('somebody/tiny', home.options)).rejects.toMatchObject({
    code: 'server-error',
    message: expect.stringContaining(`It begins: ${line}.`),
  })
  expect(readdirSync(home.python('blobs'))).not.toContain(sha256Of(weights))
})

test.each([429, 503])('%d is waited for as long as the server says', async (status) => {
  await using home = await house({
    hubFirst: (_, response, visit) => {
      if (visit < 2) response.writeHead(status, { 'retry-after': '0' }).end()
      return visit < 2
    },
  })
  expect((await pullModel('somebody/tiny', home.options)).files).toHaveLength(5)
})

test('a small file of which one byte is another is refused by the hash that git gives it', async () => {
  await using home = await house()
  home.repository.hubFirst = (request, response) => {
    const isConfig = request.url?.endsWith('/config.json') === true
    if (isConfig) response.end('{"model_type":"dinov1"}')
    return isConfig
  }
  await expect(pullModel('somebody/tiny', home.options)).rejects.toMatchObject({ code: 'wrong-hash' })
  expect(existsSync(home.python('refs', 'main'))).toBe(false)
})

test.each([
  ['the right bytes', false],
  ['another byte', true],
])(
  'what the listing of a mirror gives no hash of is held to the headers of the file itself: %s',
  async (_, isSpoilt) => {
    const other = Uint8Array.from(weights, (byte, at) => (at === 777 ? byte ^ 1 : byte))
    const connections = new Set<unknown>()
    let asked = 0
    await using home = await house({
      hubFirst: (request, response) => {
        if (request.method === 'HEAD') {
          connections.add(request.socket)
          asked++
        }
        if (!request.url?.startsWith('/api/')) return false
        const siblings = Object.keys(files).map((rfilename) => ({ rfilename }))
        response.end(JSON.stringify({ sha: COMMIT, siblings }))
        return true
      },
      storeFirst: (request, response) => {
        if (isSpoilt) serve(request, response, other)
        return isSpoilt
      },
    })
    const told: string[] = []
    const pulled = pullModel('somebody/tiny', { ...home.options, onWarning: (text) => told.push(text) })
    if (isSpoilt) await expect(pulled).rejects.toMatchObject({ code: 'wrong-hash' })
    else {
      await pulled
      const blobs = readdirSync(home.python('blobs'))
      expect(blobs).toContain(sha256Of(weights))
      expect(blobs).toContain(gitHashOf(files['config.json']))
      // One connection serves all of these questions.
      expect([asked, connections.size]).toEqual([5, 1])
    }
    expect(told).toEqual([])
  },
)

test('what the hub says otherwise than before is told once', async () => {
  await using home = await house()
  await pullModel('somebody/tiny', home.options)
  const other = someBytes(1000).bytes
  home.repository.files['model.safetensors'] = other
  home.repository.commit = COMMIT.replace('0', 'f')
  home.repository.card = { gated: 'auto', cardData: { license: 'cc-by-nc-4.0' } }
  const { changes, files: pulled, use } = await pullModel('somebody/tiny', home.options)
  expect(changes).toEqual([
    'The licence was apache-2.0 and is cc-by-nc-4.0.',
    'It is gated now.',
    'model.safetensors is another file than at commit 01234567.',
  ])
  expect(use).toContain('no commercial use')
  expect(pulled.filter(({ downloaded }) => downloaded).map(({ name }) => name)).toContain('model.safetensors')
  expect((await pullModel('somebody/tiny', home.options)).changes).toEqual([])
})

test('a cache that cannot be written is read all the same, and new files go to our own', async () => {
  await using home = await house()
  await mkdir(home.at('python'))
  await writeFile(home.at('python', 'hub'), 'a file where a folder would be')
  const { files: pulled } = await pullModel('somebody/tiny', home.options)
  for (const { path } of pulled)
    expect(path).toContain(home.at('cache', 'huggingface', 'models--somebody--tiny'))
  const path = await resolveRepository(
    { id: 'somebody/tiny', revision: 'main' },
    { env: home.env, offline: true },
  )
  expect(path).toBe(pulled.at(-1)?.path)
})

test('--into puts files under their own names, and asks for nothing that is there', async () => {
  await using home = await house()
  const into = home.at('models')
  await pullModel('somebody/tiny', { ...home.options, into })
  expect(readdirSync(into).sort()).toEqual(
    Object.keys(files)
      .filter((name) => name !== 'optimizer.bin')
      .sort(),
  )
  await pullModel('somebody/tiny', { ...home.options, into })
  expect(home.store.requests).toHaveLength(1)
})

test('--into refuses a small file of which one byte is another, by its name, and leaves nothing of it', async () => {
  await using home = await house()
  const into = home.at('models')
  home.repository.hubFirst = (request, response) => {
    const isRecipe = request.url?.endsWith('/preprocessor_config.json') === true
    if (isRecipe) response.end('{"crop":2}')
    return isRecipe
  }
  await expect(pullModel('somebody/tiny', { ...home.options, into })).rejects.toMatchObject({
    code: 'wrong-hash',
    message: expect.stringMatching(
      /preprocessor_config\.json of somebody\/tiny .* expected .* Nothing was kept/,
    ),
  })
  expect(readdirSync(into)).toEqual(['config.json'])
})

test('--into replaces a small file that is another one of the same length, and no other', async () => {
  await using home = await house()
  const into = home.at('models')
  await pullModel('somebody/tiny', { ...home.options, into })
  await writeFile(join(into, 'config.json'), '{"model_type":"dinov9"}')
  const { files: pulled } = await pullModel('somebody/tiny', { ...home.options, into })
  expect(pulled.filter(({ downloaded }) => downloaded).map(({ name }) => name)).toEqual(['config.json'])
  expect(await readFile(join(into, 'config.json'))).toEqual(files['config.json'])
})
