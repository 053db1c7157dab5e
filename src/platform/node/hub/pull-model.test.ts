/** Checks what is answered where there is nothing to pull; what is fetched is checked with servers, in test/hostile. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/weights-server.js'
import { pullModel } from './pull-model.js'

test.each([
  ['./models/small', 'no-address', /file or folder here: there is nothing to pull/],
  ['small', 'no-address', /lies in this package/],
  ['dinov2_vits15', 'unknown-model', /nearest names are dinov2_vits14/],
])('%s is answered with what it is', async (model, code, message) => {
  await expect(pullModel(model, { offline: true })).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  })
})

test("torch.hub's name of a network with its classifier means two files, each with its role", async () => {
  await using folder = await temporaryFolder()
  const checkpoints = join(folder.path, 'hub/checkpoints')
  await mkdir(checkpoints, { recursive: true })
  for (const part of ['pretrain', 'linear4_head'])
    await writeFile(join(checkpoints, `dinov2_vits14_reg4_${part}.pth`), 'x')
  const pulled = await pullModel('dinov2_vits14_reg_lc', { offline: true, env: { TORCH_HOME: folder.path } })
  expect(pulled).toMatchObject({ name: 'dinov2_vits14_reg_lc', licence: 'apache-2.0' })
  expect(pulled.files.map(({ name, role }) => [name, role])).toEqual([
    ['dinov2_vits14_reg4_linear4_head.pth', 'head'],
    ['dinov2_vits14_reg4_pretrain.pth', 'weights'],
  ])
})
