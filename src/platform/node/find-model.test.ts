/** Checks what a text that names a model is taken for, on a disk of the test's own. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { packageRoot } from '../../../test/support/repository.js'
import { temporaryFolder } from '../../../test/support/weights-server.js'
import { findModel } from './find-model.js'

afterEach(() => {
  vi.unstubAllEnvs()
})

test('the model in the package is found without anything else', async () => {
  const { path } = await findModel('small', { offline: true })
  expect(path.startsWith(join(packageRoot, 'models/small'))).toBe(true)
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
