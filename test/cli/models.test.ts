/** The list of names that models are known by. */
import { expect, test } from 'vitest'
import { runInTest } from './run-in-test.js'

const models = (...args: string[]) => runInTest(['models', ...args], { cwd: process.cwd() })

test('the names are listed with whose they are, a part of a name or a pattern chooses among them', async () => {
  const { code, stdout } = await models()
  expect(code).toBe(0)
  expect(stdout.split('\n')[0]).toMatch(/^small +this package$/)
  expect(stdout).toMatch(/^facebook\/dinov2-small +Hugging Face, DINOv2, 88.2 MB, apache-2.0$/m)
  const { stdout: some } = await models('DINOv2_vits*')
  expect(some.split('\n').slice(0, 5)).toEqual([
    'dinov2_vits14         Meta, DINOv2, apache-2.0',
    'dinov2_vits14_reg     Meta, DINOv2, apache-2.0',
    'dinov2_vits14_lc      Meta, DINOv2, apache-2.0',
    'dinov2_vits14_reg_lc  Meta, DINOv2, apache-2.0',
    '',
  ])
  const { stdout: json } = await models('lvd142m', '--json')
  for (const line of json.trimEnd().split('\n')) expect(JSON.parse(line).name).toContain('lvd142m')
})

test('a row says how large, under which licence, gated or not and open as what', async () => {
  const { stdout } = await models('*dinov3*vitb16*')
  expect(stdout.split('\n')[0]).toBe(
    'facebook/dinov3-vitb16-pretrain-lvd1689m  Hugging Face, DINOv3, 85.7 M parameters, dinov3-license, gated, open as timm/vit_base_patch16_dinov3.lvd1689m',
  )
  const { stdout: json } = await models('vit_base_patch16_clip_quickgelu_224.openai', '--json')
  expect(JSON.parse(json)).toMatchObject({ parameters: 85.8, licence: 'apache-2.0', gated: false })
})

test('a filter that nothing matches is wrong usage, and the nearest names are told', async () => {
  const { code, stderr } = await models('dinov2-smol')
  expect(code).toBe(2)
  expect(stderr).toContain('facebook/dinov2-small')
})

test('a name of a network that is not run is answered with what it is', async () => {
  const { code, stderr } = await models('mobileclip_s0')
  expect([code, stderr]).toEqual([2, expect.stringMatching(/mobileclip_s0 is MobileCLIP.*not run/)])
})

test.each([
  ['dinvo2', 'Is dinov2 meant?'],
  ['siglp', 'Is siglip meant?'],
])('a filter is a part of names, so that %s is likened to their parts', async (filter, answer) => {
  const { code, stderr } = await models(filter)
  expect(code).toBe(2)
  expect(stderr).toContain(answer)
})

test('a filter that is like no part of a name is not answered with one', async () => {
  const { stderr } = await models('zzzzzz')
  expect(stderr).not.toContain('meant')
})
