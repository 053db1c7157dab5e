/** Opens models as a page's worker does, with a real server and without storage, which Node does not have; test/browser runs the whole in a browser. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { gitHashOf, startFakeHub } from '../../../../test/support/fake-hub.js'
import { packageRoot } from '../../../../test/support/repository.js'
import { serve, startServer } from '../../../../test/support/weights-server.js'
import { openCheckpoint } from '../../../checkpoint/open-checkpoint.js'
import { safetensorsFile } from '../../../formats/safetensors.js'
import { toFloat32 } from '../../../tensor/tensor.js'
import { openFile } from '../../node/open-file.js'
import { openVit } from '../../node/open-vit.js'
import { openModel } from './open-model.js'

const dinotxt = join(packageRoot, 'test/golden/families/more/meta/dinotxt')

beforeEach(() => void vi.stubGlobal('navigator', {}))
afterEach(() => void vi.unstubAllGlobals())

const bytesOf = (chunks: ReturnType<typeof safetensorsFile>) =>
  chunks.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk))

/** Gives the head in two files of safetensors, and the index of both. */
async function shardsOfHead(): Promise<ReadonlyMap<string, Uint8Array>> {
  await using head = await openCheckpoint(await openFile(join(dinotxt, 'vision_head.pth')))
  const arrays = await Promise.all(
    [...head.tensors].map(async ([name, { shape }]) => ({
      name,
      shape,
      values: toFloat32(await head.read(name)),
    })),
  )
  const half = Math.floor(arrays.length / 2)
  const files = [arrays.slice(0, half), arrays.slice(half)].map(
    (part, at) => [`head-0000${at + 1}-of-00002.safetensors`, part] as const,
  )
  const weight_map = Object.fromEntries(
    files.flatMap(([file, part]) => part.map(({ name }) => [name, file] as const)),
  )
  return new Map([
    ['head.safetensors.index.json', Buffer.from(JSON.stringify({ metadata: {}, weight_map }))],
    ...files.map(([file, part]) => [file, Buffer.concat(bytesOf(safetensorsFile(part, {})))] as const),
  ])
}

test('a head in several files is put on by the name of their index, as in Node', async () => {
  const files = new Map([
    ...(await shardsOfHead()),
    ['backbone.pth', await readFile(join(dinotxt, 'backbone.pth'))] as const,
  ])
  await using server = await startServer((request, response) => {
    const bytes = files.get((request.url ?? '').slice(1))
    if (bytes === undefined) response.writeHead(404).end()
    else serve(request, response, bytes)
  })
  const address = { kind: 'url', url: `${server.origin}/backbone.pth` } as const
  const head = `${server.origin}/head.safetensors.index.json`
  const fetching = { signal: new AbortController().signal, onProgress: () => {}, onWarning: () => {} }
  await using found = await openModel(address, { heads: 2, head }, fetching)
  await using expected = await openVit(join(dinotxt, 'backbone.pth'), {
    heads: 2,
    head: join(dinotxt, 'vision_head.pth'),
  })
  expect(found.vit.config).toEqual(expected.vit.config)
  const { width } = found.vit.config
  for (const name of ['class_token', 'vision_head.block.0.norm1.weight']) {
    const shape = name === 'class_token' ? [1, width] : [width]
    expect(await found.vit.weights.read(name, shape)).toEqual(await expected.vit.weights.read(name, shape))
  }
  expect(server.requests.map(({ url }) => url)).toEqual(
    expect.arrayContaining([...files.keys()].map((name) => `/${name}`)),
  )
})

test("small files of the hub's are held against git's hash, as it names them by", async () => {
  const own = join(packageRoot, 'test/golden/families/more/layouts/dinov2-reg4/hugging-face')
  const names = ['config.json', 'preprocessor_config.json', 'model.safetensors']
  const files = await Promise.all(names.map(async (name) => [name, await readFile(join(own, name))] as const))
  await using hub = await startFakeHub(Object.fromEntries(files))
  const { id, files: published } = hub.repository
  const ask = fetch
  vi.stubGlobal('location', { origin: 'https://page.example' })
  vi.stubGlobal('fetch', (url: URL, init: RequestInit) =>
    ask(url.href.replace('https://huggingface.co', hub.hub.origin), init),
  )
  const fetching = { signal: new AbortController().signal, onProgress: () => {}, onWarning: () => {} }
  const load = async () => {
    await using found = await openModel({ kind: 'name', name: id }, {}, fetching)
    return found.vit.config.registers
  }
  expect(await load()).toBe(4)
  const right = published['config.json'] ?? new Uint8Array()
  hub.repository.hubFirst = (request, response) => {
    if (!request.url?.endsWith('/config.json')) return false
    const changed = Buffer.from(Buffer.from(right).toString().replace('"hidden_size"', '"hidden_sizes"'))
    serve(request, response, changed, { etag: `"${gitHashOf(right)}"` })
    return true
  }
  await expect(load()).rejects.toMatchObject({ code: 'wrong-hash' })
  await expect(load()).rejects.toThrow(/config\.json has git's hash [0-9a-f]{40}, expected [0-9a-f]{40}/)
})
