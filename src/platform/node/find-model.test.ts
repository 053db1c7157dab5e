/** Checks what a text that names a model is taken for, on a disk of the test's own. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { COMMIT } from '../../../test/support/fake-hub.js'
import { packageRoot } from '../../../test/support/repository.js'
import { linear, type Shapes, vectors } from '../../../test/support/tiny-networks.js'
import { temporaryFolder } from '../../../test/support/weights-server.js'
import { safetensorsFile } from '../../formats/safetensors.js'
import { knownModels } from '../../hub/known-models.js'
import { refusedByNameOrNull } from '../../model/dialects/other-families.js'
import { elementCount } from '../../tensor/shape.js'
import { findModel } from './find-model.js'
import { openVit } from './open-vit.js'

afterEach(() => {
  vi.unstubAllEnvs()
})

test('the model in the package is found without anything else', async () => {
  const { path } = await findModel('small', { offline: true })
  expect(path.startsWith(join(packageRoot, 'models/small'))).toBe(true)
})

test.each([
  ['mobileclip_s0', /mobileclip_s0 is MobileCLIP.*its name tells it.*not run/],
  ['apple/MobileCLIP-S0', /apple\/MobileCLIP-S0 is MobileCLIP/],
  ['facebook/convnext-base-224', /a ConvNeXt.*no vision transformer/],
  ['facebook/vjepa2-vitl-fpc64-256', /V-JEPA 2.*I-JEPA/],
  ['microsoft/swin-tiny-patch4-window7-224@main', /Swin Transformer/],
])(
  '%s is refused by its name where nothing of it is here and nothing may be asked',
  async (model, message) => {
    await using folder = await temporaryFolder()
    for (const name of ['PLUMAGE_CACHE', 'HF_HOME']) vi.stubEnv(name, folder.path)
    await expect(findModel(model, { offline: true })).rejects.toMatchObject({
      code: 'unsupported-network',
      message: expect.stringMatching(message),
    })
  },
)

test('no name that is known is refused, and none that says nothing', async () => {
  expect(knownModels().filter(({ name }) => refusedByNameOrNull(name) !== null)).toEqual([])
  expect(refusedByNameOrNull('somebody/dinov2-beside-convnexts')).toBeNull()
  await expect(findModel('somebody/else', { offline: true })).rejects.toMatchObject({ code: 'offline' })
})

test('of a folder the checkpoint is taken, a usual name before others; several unusual ones are named', async () => {
  await using folder = await temporaryFolder()
  const file = async (...parts: string[]) => {
    const path = join(folder.path, ...parts)
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(path, 'x')
    return path
  }
  const model = await file('hf', 'model.safetensors')
  await file('hf', 'other.pt')
  const only = await file('one', 'fine-tuned.pth')
  await file('several', 'a.pt')
  await file('several', 'b.pt')
  await mkdir(join(folder.path, 'empty'))
  expect((await findModel(join(folder.path, 'hf'))).path).toBe(model)
  expect((await findModel(join(folder.path, 'one'))).path).toBe(only)
  await expect(findModel(join(folder.path, 'several'))).rejects.toThrow(/2 checkpoints.*a\.pt.*b\.pt/)
  await expect(findModel(join(folder.path, 'empty'))).rejects.toMatchObject({ code: 'not-found' })
})

test('a folder within a folder is named apart, and no folder where a model has none', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'encoder', 'model.safetensors')
  await mkdir(join(path, '..'))
  await writeFile(path, 'x')
  expect((await findModel(folder.path, { subfolder: 'encoder' })).path).toBe(path)
  for (const [model, subfolder, message] of [
    [path, 'encoder', 'the model is neither'],
    ['small', 'encoder', 'the model is neither'],
    [folder.path, 'decoder', 'has no folder decoder'],
    [folder.path, '../encoder', 'names a folder within'],
    ['facebook/dinov2-small', '', 'names a folder within'],
  ] as const)
    await expect(findModel(model, { subfolder, offline: true })).rejects.toThrow(message)
})

test("Meta's names are found where torch.hub keeps them", async () => {
  await using folder = await temporaryFolder()
  vi.stubEnv('TORCH_HOME', folder.path)
  const checkpoints = join(folder.path, 'hub', 'checkpoints')
  await mkdir(checkpoints, { recursive: true })
  await writeFile(join(checkpoints, 'dinov2_vits14_reg4_pretrain.pth'), 'x')
  expect((await findModel('dinov2_vits14_reg', { offline: true })).path).toBe(
    join(checkpoints, 'dinov2_vits14_reg4_pretrain.pth'),
  )
  vi.stubEnv('PLUMAGE_CACHE', join(folder.path, 'cache'))
  await expect(findModel('dinov2_vitb14', { offline: true })).rejects.toMatchObject({ code: 'offline' })

  // A name with a classifier means two files, and no other head beside them.
  const named = findModel('dinov2_vits14_reg_lc', { offline: true })
  await expect(named).rejects.toThrow('dinov2_vits14_reg4_linear4_head.pth')
  await writeFile(join(checkpoints, 'dinov2_vits14_reg4_linear4_head.pth'), 'x')
  expect(await findModel('dinov2_vits14_reg_lc', { offline: true })).toEqual({
    path: join(checkpoints, 'dinov2_vits14_reg4_pretrain.pth'),
    head: join(checkpoints, 'dinov2_vits14_reg4_linear4_head.pth'),
    network: undefined,
  })
  const other = findModel('dinov2_vits14_reg_lc', { offline: true, head: 'mine.pth' })
  await expect(other).rejects.toMatchObject({ code: 'contradiction' })
})

/** Has the tensors that timm's networks of CLIP have. */
const TINY_CLIP: Shapes = {
  cls_token: [1, 1, 4],
  pos_embed: [1, 5, 4],
  'patch_embed.proj.weight': [4, 3, 2, 2],
  ...vectors('norm_pre', 4),
  ...vectors('blocks.0.norm1', 4),
  ...linear('blocks.0.attn.qkv', 12, 4),
  ...linear('blocks.0.attn.proj', 4, 4),
  ...vectors('blocks.0.norm2', 4),
  ...linear('blocks.0.mlp.fc1', 16, 4),
  ...linear('blocks.0.mlp.fc2', 4, 16),
  ...vectors('norm', 4),
}

/** Says what timm's own file says of OpenAI's weights, for a network that is tiny. */
const config = {
  architecture: 'vit_base_patch16_clip_224',
  model_args: { img_size: 4, patch_size: 2, embed_dim: 4, num_heads: 2, depth: 1 },
  pretrained_cfg: { tag: 'openai', input_size: [3, 4, 4] },
}

/** Lays a repository out as Python's cache has it, so that no hub is asked. */
async function cachedRepository(folder: string, beside: Readonly<Record<string, string>>): Promise<void> {
  const root = join(folder, 'hub', 'models--timm--vit_base_patch16_clip_224.openai')
  const snapshot = join(root, 'snapshots', COMMIT)
  await mkdir(join(root, 'refs'), { recursive: true })
  await mkdir(snapshot, { recursive: true })
  await writeFile(join(root, 'refs', 'main'), COMMIT)
  const arrays = Object.entries(TINY_CLIP).map(([name, shape]) => ({
    name,
    shape,
    values: new Float32Array(elementCount(shape)).fill(0.5),
  }))
  await writeFile(
    join(snapshot, 'model.safetensors'),
    Buffer.concat(safetensorsFile(arrays, {}) as Uint8Array[]),
  )
  for (const [name, text] of Object.entries(beside)) await writeFile(join(snapshot, name), text)
}

test.each([
  ['vit_base_patch16_clip_224.openai', 'gelu'],
  ['vit_base_patch16_clip_quickgelu_224.openai', 'quick_gelu'],
])(
  "of weights that two of timm's names share, %s is built with %s, with their config.json and without",
  async (name, activation) => {
    for (const beside of [{ 'config.json': JSON.stringify(config) }, {}]) {
      await using folder = await temporaryFolder()
      vi.stubEnv('HF_HOME', folder.path)
      await cachedRepository(folder.path, beside)
      await using open = await openVit(await findModel(name, { offline: true }), { heads: 2 })
      expect(open.vit.config).toMatchObject({ activation, epsilon: 1e-5 })
    }
  },
)

test('a name of another library is answered with where its weights lie, unless a file has it', async () => {
  await expect(findModel('dinov3_vits16')).rejects.toMatchObject({
    code: 'no-address',
    message: expect.stringContaining('facebook/dinov3-vits16-pretrain-lvd1689m'),
  })
  await expect(findModel('ViT-L-14/openai')).rejects.toMatchObject({ code: 'no-address' })
})

test('a name that nobody has is answered with names that mean the same', async () => {
  await expect(findModel('dinov2-small')).rejects.toMatchObject({
    code: 'unknown-model',
    message: expect.stringContaining('facebook/dinov2-small'),
  })
  await expect(findModel('gone.safetensors')).resolves.toEqual({
    path: 'gone.safetensors',
    network: undefined,
  })
})
