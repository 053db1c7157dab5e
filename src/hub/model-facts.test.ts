/** What is known of models before a hub is asked is held against the libraries that it was read from. */
import { expect, test } from 'vitest'
import { OTHER_LICENCES } from '../../test/support/timm-licences.js'
import { HUGGING_FACE_MODELS } from './hugging-face-models.js'
import { knownModels } from './known-models.js'
import { factsOf } from './model-facts.js'
import { OPEN_EQUIVALENTS } from './open-equivalents.js'
import { parseModelName } from './parse-model-name.js'
import { timmModels } from './timm-models.js'

const others = new Map(
  Object.entries(OTHER_LICENCES).flatMap(([licence, lines]) =>
    lines
      .trim()
      .split('\n')
      .flatMap((line) => {
        const [architecture, ...tags] = line.trim().split(' ')
        return tags.map((tag): [string, string | null] => [`timm/${architecture}.${tag}`, licence || null])
      }),
  ),
)

test("the licence of each of timm's weights is the one that timm gives them", () => {
  const told = timmModels().map((name) => [name, factsOf(name).licence])
  const wanted = timmModels().map((name) => [name, others.has(name) ? others.get(name) : 'apache-2.0'])
  expect(told).toEqual(wanted)
  expect(told).toHaveLength(440)
  for (const name of others.keys()) expect(timmModels()).toContain(name)
})

test("each of timm's networks has its count of parameters, and a family", () => {
  for (const name of timmModels()) {
    const { parameters, family, source } = factsOf(name)
    expect(parameters, name).toBeGreaterThan(0.2)
    expect(family, name).not.toBeNull()
    expect(source).toContain('timm')
  }
  expect(factsOf('timm/vit_base_patch14_reg4_dinov2.lvd142m').parameters).toBe(86.6)
})

test("each of Birder's weights has the class of its network, its count of parameters and its bytes", () => {
  for (const { name } of knownModels().filter(({ from }) => from.startsWith('Birder'))) {
    const { family, parameters, megabytes } = factsOf(name)
    expect([family, parameters, megabytes], name).not.toContain(null)
  }
  expect(factsOf('rope_vit_reg4_b14_capi')).toMatchObject({ family: 'RoPE_ViT', parameters: 85.7 })
})

test('every known name is listed once, and says where its facts were read', () => {
  const names = knownModels().map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  for (const name of names.filter((one) => one !== 'small')) expect(factsOf(name).source, name).not.toBeNull()
})

test('each row of makers has a family, a page, and a size that was understood where there is one', () => {
  for (const [name, { family, source }] of HUGGING_FACE_MODELS) {
    expect(name).toMatch(/^[\w.-]+\/[\w.-]+$/)
    expect([family, source]).not.toContain('')
    expect(parseModelName(name)).toMatchObject({ kind: 'repository', id: name })
  }
  expect(HUGGING_FACE_MODELS.get('facebook/dinov3-vith16plus-pretrain-lvd1689m')?.parameters).toBe(800)
  expect(HUGGING_FACE_MODELS.get('facebook/ijepa_vith14_1k')).toMatchObject({
    parameters: null,
    megabytes: 2520,
  })
})

test('what transformers reads of newer families is known by the names of their makers', () => {
  expect(factsOf('nvidia/C-RADIOv4-H')).toMatchObject({
    family: 'C-RADIO',
    licence: 'nvidia-open-model-license',
    gated: false,
    parameters: 653,
  })
  expect(factsOf('google/tipsv2-l14')).toMatchObject({
    family: 'TIPSv2',
    licence: 'apache-2.0',
    parameters: 487,
  })
  expect(factsOf('apple/aimv2-1B-patch14-224')).toMatchObject({ licence: 'apple-amlr', megabytes: 4940 })
  expect(factsOf('facebook/PE-Spatial-T16-512')).toMatchObject({ family: 'Perception Encoder' })
  // Only their makers' own code reads these.
  expect(factsOf('nvidia/C-RADIOv3-B').source).toBeNull()
  expect(factsOf('facebook/EUPE-ViT-B').source).toBeNull()
})

test('a gated model is told with the open one of the same weights, which is known as well', () => {
  const names = new Set(knownModels().map(({ name }) => name))
  for (const [gated, open] of Object.entries(OPEN_EQUIVALENTS)) {
    expect(factsOf(gated)).toMatchObject({ gated: true, openAs: open, licence: 'dinov3-license' })
    expect(factsOf(open)).toMatchObject({ gated: false, licence: 'dinov3-license' })
    expect(names).toContain(gated)
    expect(names).toContain(open)
  }
})

test('what is known of a name of torch.hub is known of it behind its repository too', () => {
  expect(factsOf('facebookresearch/dinov2:dinov2_vits14')).toEqual(factsOf('dinov2_vits14'))
  expect(factsOf('facebookresearch/dino:main:dino_vitb8')).toMatchObject({
    family: 'DINO',
    licence: 'apache-2.0',
  })
})

test('what nobody says a licence of has no use either', () => {
  expect(factsOf('openai/clip-vit-base-patch32')).toMatchObject({ licence: null, use: null, family: 'CLIP' })
  expect(factsOf('somebody/flowers')).toMatchObject({ family: null, source: null, parameters: null })
  expect(factsOf('facebook/ijepa_vith14_1k').use).toContain('no commercial use')
})
