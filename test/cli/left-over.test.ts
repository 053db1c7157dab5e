/** Tells of what a file holds beside the network what it is, and how to use it: texts are not encoded here, nor are most heads run. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeModel } from '../../src/platform/node/describe-model.js'
import { packageRoot } from '../support/repository.js'
import { runInTest } from './run-in-test.js'

const FAMILIES = join(packageRoot, 'test/golden/families/families')

test.each([
  ['hugging-face/clip', /get_text_features of transformers' class/],
  ['../more/hugging-face/tipsv2', /get_text_features of transformers' class/],
  ['open-clip/vit-gelu/open_clip_model.safetensors', /open_clip's encode_text/],
])(
  'info of %s says that there is no text encoder, and what makes the vector of a text',
  async (path, what) => {
    const { stdout, code } = await runInTest(['info', join(FAMILIES, path), '--engine', 'reference'], {
      cwd: packageRoot,
      describeModel,
    })
    expect(code).toBe(0)
    const [line = ''] = /^text tower .*$/m.exec(stdout) ?? []
    expect(line).toMatch(/\d+, left aside, since Plumage has no text encoder/)
    expect(line).toMatch(what)
    expect(line).toMatch(/plumage search --vector takes/)
  },
)

test('info of an image tower alone has no such line', async () => {
  const { stdout } = await runInTest(
    ['info', join(FAMILIES, 'hugging-face/clip-vision'), '--engine', 'reference'],
    { cwd: packageRoot, describeModel },
  )
  expect(stdout).not.toMatch(/^text tower/m)
})

const MAE = join(FAMILIES, '../more/hugging-face/vit-mae-pretraining')

test('a decoder is of use in training alone', async () => {
  const { stdout } = await runInTest(['info', MAE, '--engine', 'reference', '--json'], {
    cwd: packageRoot,
    describeModel,
  })
  const { leftOver } = JSON.parse(stdout)
  expect(leftOver).toMatchObject({ textTower: [], heads: [], derived: [], others: [] })
  expect(leftOver.training).toContain('decoder.decoder_norm.weight')
})
