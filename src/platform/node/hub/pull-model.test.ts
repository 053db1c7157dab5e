/** Checks what is answered where there is nothing to pull; what is fetched is checked with servers, in test/hostile. */
import { expect, test } from 'vitest'
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
