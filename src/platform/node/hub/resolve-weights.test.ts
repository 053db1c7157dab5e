/**
 * Checks where weights are looked for, in which order, and what happens to those that are not what their name
 * says.
 */
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { serve, someBytes, startServer, temporaryFolder } from '../../../../test/support/weights-server.js'
import type { DownloadProgress } from '../../../hub/download-progress.js'
import { findPretrained, publishedFile } from '../../../hub/find-pretrained.js'
import type { PretrainedEntry } from '../../../hub/weights.js'
import { type ResolveOptions, resolveWeights } from './resolve-weights.js'

const file = someBytes(100_000)
const entry: PretrainedEntry = {
  url: 'https://huggingface.co/birder-project/tiny/resolve/main',
  description: 'a test',
  resolution: [28, 28],
  formats: { pt: { file_size: 0.1, sha256: file.sha256 } },
  net: { network: 'vit_tiny', tag: 'test' },
  task: 'image_classification',
}

/**
 * Gives each test a house of its own: a server in the place of Hugging Face, a working folder and a cache.
 */
async function house(bytes: Uint8Array = file.bytes) {
  const server = await startServer((request, response) => serve(request, response, bytes))
  const folder = await temporaryFolder()
  const cache = join(folder.path, 'cache')
  const own = join(folder.path, 'work', 'models', 'vit_tiny_test.pt')
  const cached = join(cache, 'models', 'vit_tiny_test.pt')
  const kinds: DownloadProgress['kind'][] = []
  const resolveIt = (options: ResolveOptions = {}) => {
    kinds.length = 0
    return resolveWeights('vit_tiny_test', {
      entry,
      workingFolder: join(folder.path, 'work'),
      env: { PLUMAGE_CACHE: cache, HF_ENDPOINT: server.origin },
      onProgress: ({ kind }) => kinds.push(kind),
      ...options,
    })
  }
  const put = async (path: string, content: Uint8Array) => {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
  }
  const close = async () => {
    await server[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  }
  return { server, folder, cache, own, cached, kinds, resolveIt, put, [Symbol.asyncDispose]: close }
}

test('the first time it is downloaded into the cache by <url>/<name>.<format>, the second time nothing is asked or hashed', async () => {
  await using at = await house()
  expect(await at.resolveIt()).toEqual({ path: at.cached, name: 'vit_tiny_test', entry, downloaded: true })
  expect(at.server.requests.map(({ url }) => url)).toEqual([
    '/birder-project/tiny/resolve/main/vit_tiny_test.pt',
  ])
  expect(await at.resolveIt()).toMatchObject({ path: at.cached, downloaded: false })
  expect(await at.resolveIt({ offline: true })).toMatchObject({ path: at.cached, downloaded: false })
  expect(at.server.requests).toHaveLength(1)
  expect(at.kinds).toEqual([])
})

test("a file in the working folder's models/ comes before the cache; it is hashed once and nothing is put beside it", async () => {
  await using at = await house()
  await at.put(at.own, file.bytes)
  await at.put(at.cached, file.bytes)
  expect(await at.resolveIt({ offline: true })).toMatchObject({ path: at.own, downloaded: false })
  expect(at.kinds).toContain('verify')
  await at.resolveIt()
  expect(at.kinds).toEqual([])
  expect(await readdir(dirname(at.own))).toEqual(['vit_tiny_test.pt'])
  expect(at.server.requests).toHaveLength(0)
})

test('a file that changed after it was hashed is hashed again', async () => {
  await using at = await house()
  await at.put(at.own, file.bytes)
  await at.resolveIt()
  await at.put(at.own, someBytes(100_000).bytes)
  const { mtimeMs } = await stat(at.own)
  await utimes(at.own, new Date(mtimeMs + 5000), new Date(mtimeMs + 5000))
  await expect(at.resolveIt()).rejects.toMatchObject({ code: 'wrong-hash' })
})

test("a wrong file of the user's own is an error with both hashes, and is left as it is", async () => {
  await using at = await house()
  const other = someBytes(100_000)
  await at.put(at.own, other.bytes)
  const error = await at.resolveIt().catch((e) => e)
  expect(error).toMatchObject({ name: 'HubError', code: 'wrong-hash' })
  for (const part of [at.own, other.sha256, file.sha256, 'v0.8.4', 'again under the same name']) {
    expect(error.message).toContain(part)
  }
  expect((await readFile(at.own)).equals(other.bytes)).toBe(true)
  expect(at.server.requests).toHaveLength(0)
})

test('a wrong file in the cache is downloaded again; offline it is an error', async () => {
  await using at = await house()
  await at.put(at.cached, someBytes(100_000).bytes)
  await expect(at.resolveIt({ offline: true })).rejects.toMatchObject({ code: 'wrong-hash' })
  expect(await at.resolveIt()).toMatchObject({ path: at.cached, downloaded: true })
  expect((await readFile(at.cached)).equals(file.bytes)).toBe(true)
})

test('a wrong file in the cache stays until the new one is right', async () => {
  await using at = await house(someBytes(100_000).bytes)
  const old = someBytes(10)
  await at.put(at.cached, old.bytes)
  await expect(at.resolveIt()).rejects.toMatchObject({ code: 'wrong-hash' })
  expect((await readFile(at.cached)).equals(old.bytes)).toBe(true)
})

test('offline and nowhere: the error names both places and the address', async () => {
  await using at = await house()
  const error = await at.resolveIt({ offline: true }).catch((e) => e)
  expect(error).toMatchObject({ code: 'offline' })
  for (const part of [
    at.own,
    at.cached,
    `${at.server.origin}/birder-project/tiny/resolve/main/vit_tiny_test.pt`,
  ]) {
    expect(error.message).toContain(part)
  }
  expect(existsSync(at.cache)).toBe(false)
})

test('a destination is the only place used: downloaded when empty, never replaced', async () => {
  await using at = await house()
  await at.put(at.own, file.bytes)
  const destination = join(at.folder.path, 'elsewhere', 'mine.pt')
  expect(await at.resolveIt({ destination })).toMatchObject({ path: destination, downloaded: true })
  expect(await at.resolveIt({ destination })).toMatchObject({ path: destination, downloaded: false })
  await at.put(destination, Buffer.from('other'))
  await expect(at.resolveIt({ destination })).rejects.toMatchObject({ code: 'wrong-hash' })
  expect(await readFile(destination, 'utf8')).toBe('other')
})

test('a server that sends far more than the published size is stopped', async () => {
  await using at = await house(someBytes(3_000_000).bytes)
  await expect(at.resolveIt()).rejects.toMatchObject({ code: 'too-long' })
})

test('an unknown name is answered with the nearest ones, and no request', async () => {
  const error = await resolveWeights('vit_reg4_l14_nps_ls_dino-v2').catch((e) => e)
  expect(error).toMatchObject({ name: 'HubError', code: 'unknown-model' })
  expect(error.message).toContain('vit_reg4_l14_nps_ls_dino-v2-lvd142m')
})

test('addresses: the entry’s own, else Birder’s; a format that is not published has none', () => {
  const address = (name: string) => publishedFile(name, findPretrained(name), 'pt').url
  expect(address('vit_reg4_l14_nps_ls_dino-v2-lvd142m')).toBe(
    'https://huggingface.co/birder-project/vit_reg4_l14_nps_ls_dino-v2-lvd142m/resolve/main/vit_reg4_l14_nps_ls_dino-v2-lvd142m.pt',
  )
  expect(address('deit_t16_il-common')).toBe(
    'https://f000.backblazeb2.com/file/birder/models/deit_t16_il-common.pt',
  )
  expect(address('vit_l16_mim_400')).toMatch(/\/vit_l16_mim\/resolve\/main\/vit_l16_mim_400\.pt$/)
  expect(() =>
    publishedFile('deit_t16_il-common', findPretrained('deit_t16_il-common'), 'safetensors'),
  ).toThrow(
    expect.objectContaining({ code: 'no-address', message: expect.stringContaining('published as pt') }),
  )
})
