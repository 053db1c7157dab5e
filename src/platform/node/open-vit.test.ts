import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { packageRoot } from '../../../test/support/repository.js'
import { convertModel } from './convert/convert-model.js'
import { describeModel } from './describe-model.js'
import { loadEncoder } from './load-encoder.js'
import { openVit } from './open-vit.js'

const scratch = mkdtempSync(join(tmpdir(), 'plumage-head-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

describe('a head of its own file', () => {
  const folder = join(packageRoot, 'test/golden/families/more/meta')
  const backbone = join(folder, 'dinotxt/backbone.pth')
  const head = join(folder, 'dinotxt/vision_head.pth')
  const projected = join(folder, 'dinotxt-projected/vision_head.pth')
  const image = { height: 28, width: 28, data: new Uint8Array(28 * 28 * 3).fill(99) }
  const options = { engine: 'reference', heads: 2, onWarning: () => {} } as const

  test('gives embedding and patches, each as wide as its projection has them', async () => {
    for (const [file, width] of [
      [head, 16],
      [projected, 10],
    ] as const) {
      using encoder = await loadEncoder(backbone, { ...options, head: file, size: 28 })
      expect(encoder).toMatchObject({ width, embedding: 'class-mean', embeddingWidth: 2 * width })
      const { embedding, patches, registers, grid } = await encoder.encode(image)
      expect(embedding.length).toBe(2 * width)
      expect(patches.length).toBe(grid.rows * grid.columns * width)
      expect(registers.length).toBe(4 * width)
      const hidden = encoder.encode(image, { layers: [0] })
      if (file === head) expect((await hidden).layers.get(0)?.length).toBe(21 * 16)
      else await expect(hidden).rejects.toMatchObject({ code: 'unsupported' })
    }
  })

  test('is told of, and counts for the identity by its values, and not by its name', async () => {
    const copy = join(scratch, 'renamed.pth')
    cpSync(head, copy)
    const changed = join(scratch, 'changed.pth')
    await using open = await openVit(backbone, { heads: 2, head })
    const [first = 0] = await open.vit.weights.read('vision_head.norm.weight', [16])
    const bytes = readFileSync(head)
    bytes.writeFloatLE(2, bytes.indexOf(Buffer.from(Float32Array.of(first).buffer)))
    writeFileSync(changed, bytes)
    const described = (file?: string) =>
      describeModel(backbone, { ...options, ...(file === undefined ? {} : { head: file }) })
    const [own, renamed, other, none] = await Promise.all([head, copy, changed, undefined].map(described))
    expect(own?.head).toBe(head)
    expect(renamed?.identity.digest).toBe(own?.identity.digest)
    const digests = [own, other, none].map((description) => description?.identity.weights)
    expect(new Set(digests).size).toBe(3)
    expect(none).toMatchObject({ head: null, embedding: { kind: 'class' } })
  })

  test('is opened again for a weight that is asked for after the files were closed', async () => {
    const open = await openVit(backbone, { heads: 2, head })
    const before = await open.vit.weights.read('vision_head.norm.weight', [16])
    await open[Symbol.asyncDispose]()
    expect(await open.vit.weights.read('vision_head.norm.weight', [16])).toEqual(before)
    expect(await open.vit.findNonFinite()).toBeNull()
  })

  test('that cannot be opened, or is another file, is refused by its name', async () => {
    await expect(openVit(backbone, { heads: 2, head: join(scratch, 'none.pth') })).rejects.toThrow('none.pth')
    await expect(openVit(backbone, { heads: 2, head: backbone })).rejects.toThrow(
      /no vision head of dino\.txt/,
    )
    await expect(openVit(head)).rejects.toThrow(/its head/)
  })
})

test('queries, keys and values that a file keeps apart lie there in three places, where they are of one type and in one file', async () => {
  const layouts = join(packageRoot, 'test/golden/families/more/layouts/dinov2-reg4')
  const name = 'encoder.block.1.attn.qkv.weight'
  const placesIn = async (path: string) => {
    await using open = await openVit(path)
    const shape = open.vit.weightShapes.get(name) ?? []
    return {
      found: await open.vit.weights.stored?.(name, shape),
      values: await open.vit.weights.read(name, shape),
    }
  }
  const path = join(layouts, 'hugging-face/model.safetensors')
  const { found, values } = await placesIn(path)
  const file = readFileSync(path)
  const parts =
    found?.places.map(({ offset }) => file.subarray(offset, offset + (values.length / 3) * 4)) ?? []
  expect(parts).toHaveLength(3)
  expect(Buffer.concat(parts).equals(Buffer.from(values.buffer, values.byteOffset, values.byteLength))).toBe(
    true,
  )
  expect((await placesIn(join(layouts, 'timm/model.safetensors'))).found?.places).toHaveLength(1)
  const sharded = join(scratch, 'shards')
  await convertModel(join(layouts, 'hugging-face'), sharded, { to: 'hugging-face', maxShardBytes: 1 })
  expect((await placesIn(join(sharded, 'model.safetensors.index.json'))).found).toBeNull()
})
