/** Holds what classes of several libraries write otherwise against their own golden files: names of tensors, what configs say, and what no file can say. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { LibraryName } from '../../src/convert/writer.js'
import { recipeFor } from '../../src/encoder/choose-recipe.js'
import { largestDifference } from '../../src/numerics/largest-difference.js'
import type { PlainRecord } from '../../src/plain-value.js'
import { type ConvertOptions, convertModel } from '../../src/platform/node/convert/convert-model.js'
import { findModel } from '../../src/platform/node/find-model.js'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { openVit } from '../../src/platform/node/open-vit.js'
import { toFloat32 } from '../../src/tensor/tensor.js'
import { copyWithZeros } from '../support/copy-with-zeros.js'
import { type GoldenNetwork, goldenNetworks } from '../support/golden-networks.js'
import { packageRoot } from '../support/repository.js'

const folder = mkdtempSync(join(tmpdir(), 'plumage-details-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const NETWORKS = new Map(goldenNetworks().map((network) => [network.id, network]))

const DINOV2 = join(packageRoot, 'test/golden/families/more/layouts/dinov2-reg4/hugging-face')

function golden(id: string): GoldenNetwork {
  const network = NETWORKS.get(id)
  if (network === undefined) throw new Error(`There is no golden network ${id}.`)
  return network
}

let count = 0
async function converted(id: string, to: LibraryName, options: Partial<ConvertOptions> = {}) {
  const { path, told } = golden(id)
  const { size, ...others } = told
  const trained = size === undefined ? {} : { trainedSize: size }
  const out = join(folder, `${count++}`)
  return await convertModel(path, out, { ...others, ...trained, to, onWarning: () => {}, ...options })
}

async function tensorsOf(path: string, told: GoldenNetwork['told'] = {}) {
  await using open = await openVit(await findModel(path), told)
  const { checkpoint } = open
  const read = async (name: string) => toFloat32(await checkpoint.read(name))
  const names = [...checkpoint.tensors.keys()]
  const values = new Map<string, Float32Array>()
  for (const name of names) values.set(name, await read(name))
  const types = new Map([...checkpoint.tensors].map(([name, { dtype }]) => [name, dtype]))
  return { names, values, types }
}

const configOf = (path: string): PlainRecord & { readonly model_args?: PlainRecord } =>
  JSON.parse(readFileSync(join(path, 'config.json'), 'utf8'))

describe('DINOv3 has the names of the library that it is written for', () => {
  test.each([
    ['hugging-face/dinov3-reg4', 'timm', 'timm/dinov3-qkvb-token'],
    ['facebook/dinov3', 'timm', 'timm/dinov3-qkvb-token'],
    ['hugging-face/dinov3-reg4', 'facebook', 'facebook/dinov3'],
    ['timm/dinov3-qkvb-token', 'facebook', 'facebook/dinov3'],
    ['timm/dinov3-plus', 'facebook', 'facebook/dinov3-plus'],
    ['timm/dinov3-qkvb-token', 'hugging-face', 'hugging-face/dinov3-reg4'],
    ['facebook/dinov3', 'hugging-face', 'hugging-face/dinov3-reg4'],
  ] as const)('%s in %s', async (id, to, like) => {
    const { path } = await converted(id, to)
    const { path: own, told } = golden(like)
    const size = to === 'facebook' ? { size: [48, 48] as const } : {}
    expect((await tensorsOf(path, size)).names.sort()).toEqual((await tensorsOf(own, told)).names.sort())
  })
})

test("a classifier of the class token becomes transformers' of class token and mean patch, with zeros for the mean, and its scores stay", async () => {
  const own = join(packageRoot, 'models/mini/deit3_reg4_t14_tiny-imagenet.safetensors')
  const path = join(folder, 'classes')
  const { lossless, notes } = await convertModel(own, path, { to: 'hugging-face', onWarning: () => {} })
  expect(lossless).toBe(true)
  expect(notes.join(' ')).toMatch(/with zeros for it, so that its scores are the same/)
  const { architectures, id2label } = configOf(path)
  expect(architectures).toEqual(['Dinov2WithRegistersForImageClassification'])
  expect(Object.keys(id2label ?? {})).toHaveLength(200)
  const { values } = await tensorsOf(path)
  const weight = values.get('classifier.weight') ?? new Float32Array()
  expect(weight.length).toBe(200 * 2 * 192)
  expect([...weight.subarray(192, 384)].every((value) => value === 0)).toBe(true)
  const image = {
    height: 112,
    width: 112,
    data: Uint8Array.from({ length: 112 * 112 * 3 }, (_, at) => (at * 7) % 251),
  }
  const scores = async (model: string) => {
    using encoder = await loadEncoder(model, {
      engine: 'reference',
      recipe: 'native',
      size: 28,
      onWarning: () => {},
    })
    const { logits = new Float32Array() } = await encoder.encode(image)
    return { logits, labels: encoder.labels }
  }
  const [before, after] = [await scores(own), await scores(path)]
  expect(after.labels).toEqual(before.labels)
  expect(largestDifference(after.logits, before.logits)).toBeLessThan(1e-5)
})

test("Meta's mask takes the bias of keys away, and only where they have none", async () => {
  const size = { size: [16, 16] as const }
  const masked = await tensorsOf((await converted('timm/dinov3-qkvb-token', 'facebook')).path, size)
  const whole = await tensorsOf((await converted('hugging-face/dinov3-gated', 'facebook')).path, size)
  const third = (mask: Float32Array | undefined) => mask?.subarray(mask.length / 3, (2 * mask.length) / 3)
  const name = 'blocks.0.attn.qkv.bias_mask'
  expect(new Set(third(masked.values.get(name)))).toEqual(new Set([0]))
  expect(new Set(masked.values.get(name))).toEqual(new Set([0, 1]))
  expect(new Set(whole.values.get(name))).toEqual(new Set([1]))
})

test('transformers is told which of queries, keys and values have a bias, and the base of the periods as a float', async () => {
  const without = await converted('facebook/dinov3', 'hugging-face')
  expect(configOf(without.path)).toMatchObject({ query_bias: true, key_bias: false, value_bias: true })
  expect(readFileSync(join(without.path, 'config.json'), 'utf8')).toMatch(/"rope_theta": 100\.0,?\n/)
  const none = await converted('timm/dinov3', 'hugging-face')
  expect(configOf(none.path)).toMatchObject({ query_bias: false, key_bias: false, value_bias: false })
  expect(none.notes.join(' ')).toMatch(/default is the embedding class, and for the source mean/)
})

test('periods that were rounded to bfloat16 follow from no base, and are refused wherever they are made of one', async () => {
  const { path } = await converted('facebook/dinov3', 'facebook', { format: 'safetensors' })
  roundPeriods(join(path, 'model.safetensors'))
  for (const to of ['hugging-face', 'timm', 'birder'] as const) {
    const rounded = convertModel(path, join(folder, `rounded-${to}`), { to, onWarning: () => {} })
    await expect(rounded, to).rejects.toMatchObject({ code: 'not-held' })
    await expect(rounded, to).rejects.toThrow(
      /periods of its rotary positions.*bfloat16.*take the model as it publishes it itself.*written for facebook/,
    )
  }
  const size = { size: [48, 48] as const }
  const own = (await tensorsOf(path, size)).values.get('rope_embed.periods')
  const again = { to: 'facebook', trainedSize: [48, 48], onWarning: () => {} } as const
  for (const [name, options] of [
    ['as-it-is.pth', {}],
    ['narrowed.pth', { dtype: 'bf16' }],
  ] as const) {
    const { path: there } = await convertModel(path, join(folder, name), { ...again, ...options })
    expect((await tensorsOf(there, size)).values.get('rope_embed.periods'), name).toEqual(own)
  }
})

/** Writes what transformers 5 writes of a model that has a tokenizer: the image processor lies in the processor's own file, which counts first. */
async function nestedProcessor(): Promise<string> {
  const { path } = await convertModel(DINOV2, join(folder, `${count++}`), { to: 'hugging-face' })
  const settings = JSON.parse(readFileSync(join(path, 'preprocessor_config.json'), 'utf8')) as PlainRecord
  const nested = {
    ...settings,
    size: { shortest_edge: 96 },
    crop_size: { height: 84, width: 84 },
    image_mean: [0.1, 0.2, 0.3],
  }
  const file = { image_processor: nested, processor_class: 'CLIPProcessor' }
  writeFileSync(join(path, 'processor_config.json'), JSON.stringify(file))
  return path
}

async function preparationOf(path: string): Promise<unknown> {
  await using open = await openVit(await findModel(path), {})
  const { size, resize, filter, rgbStats } = recipeFor(open.vit, {})
  return { size, resize, filter, rgbStats }
}

describe('what processor_config.json says of images', () => {
  test.each(['hugging-face', 'timm'] as const)('comes along into %s', async (to) => {
    const path = await nestedProcessor()
    const out = join(folder, `processor-${to}`)
    await convertModel(path, out, { to, onWarning: () => {} })
    const expected = await preparationOf(path)
    expect(expected).toMatchObject({ size: [84, 84], rgbStats: { mean: [0.1, 0.2, 0.3] } })
    expect(await preparationOf(out)).toEqual(expected)
  })

  test('comes along into another type, where config.json alone is changed, and into a file of bytes', async () => {
    const path = await nestedProcessor()
    for (const options of [{ to: 'hugging-face', dtype: 'bf16' }, { int8: true }] as const) {
      const out = join(folder, `processor-${count++}`)
      await convertModel(path, out, { ...options, onWarning: () => {} })
      expect(await preparationOf(out)).toEqual(await preparationOf(path))
    }
  })

  test('is refused by its name where it is not followed', async () => {
    const path = await nestedProcessor()
    const file = join(path, 'processor_config.json')
    const whole = JSON.parse(readFileSync(file, 'utf8')) as { image_processor: PlainRecord }
    writeFileSync(file, JSON.stringify({ image_processor: { ...whole.image_processor, do_sharpen: true } }))
    const out = join(folder, 'processor-refused')
    const refused = convertModel(path, out, { to: 'timm', onWarning: () => {} })
    await expect(refused).rejects.toThrow(/processor_config\.json beside it.*do_sharpen/)
  })
})

/** Rounds each to a number that bfloat16 holds. */
function roundPeriods(path: string): void {
  const bytes = readFileSync(path)
  const length = Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<
    string,
    { data_offsets: [number, number] }
  >
  const [from, to] = header['rope_embed.periods']?.data_offsets ?? [0, 0]
  for (let at = 8 + length + from; at < 8 + length + to; at += 4) bytes.writeUInt16LE(0, at)
  writeFileSync(path, bytes)
}

test('periods stay float32 where weights become narrower, since rounded ones would turn by other angles', async () => {
  const size = { size: [16, 16] as const }
  for (const id of ['facebook/dinov3', 'timm/dinov3-qkvb-token']) {
    const { path } = await converted(id, 'facebook', { dtype: 'bf16' })
    const { types } = await tensorsOf(path, size)
    expect(types.get('rope_embed.periods'), id).toBe('F32')
    expect(types.get('blocks.0.attn.qkv.weight'), id).toBe('BF16')
  }
})

test('what no weight tells has the type of the others, so that transformers keeps a network in it', async () => {
  const narrow = await converted('timm/dinov3', 'timm', { dtype: 'bf16' })
  const out = join(folder, 'narrow-dinov3')
  await convertModel(narrow.path, out, { to: 'hugging-face', onWarning: () => {} })
  expect(configOf(out).dtype).toBe('bfloat16')
  expect(new Set((await tensorsOf(out)).types.values())).toEqual(new Set(['BF16']))
})

test('of the architectures of timm that are built alike the one of the same kind is named', async () => {
  const architectureOf = async (id: string) => configOf((await converted(id, 'timm')).path).architecture
  expect(await architectureOf('hugging-face/dinov3-reg4')).toMatch(/_dinov3_qkvb$/)
  expect(await architectureOf('facebook/dinov3-plus')).toMatch(/_plus_patch16_dinov3_qkvb$/)
})

test('no architecture of timm is named that brings norms which a network does not have', async () => {
  const { path } = await converted('hugging-face/clip-vision-sharded', 'timm')
  expect(configOf(path).architecture).not.toMatch(/^beit3/)
})

test("a file of the first DINO that has timm's names gets the config.json that timm asks for", async () => {
  const { path } = await converted('meta/dino-s', 'timm')
  expect(configOf(path)).toMatchObject({ architecture: expect.any(String), model_args: { num_heads: 2 } })
})

describe('a distilled DeiT has its two tokens and its two heads in every library', () => {
  const NAMES = {
    birder: ['class_token', 'dist_token', 'classifier.weight', 'dist_classifier.bias'],
    'hugging-face': [
      'deit.embeddings.cls_token',
      'deit.embeddings.distillation_token',
      'cls_classifier.weight',
      'distillation_classifier.bias',
    ],
    timm: ['cls_token', 'dist_token', 'head.weight', 'head_dist.bias'],
  } as const
  test.each([
    ['timm/deit-distilled', 'timm', 'birder'],
    ['timm/deit-distilled', 'timm', 'hugging-face'],
    ['birder/deit.pt', 'birder', 'timm'],
    ['birder/deit.pt', 'birder', 'hugging-face'],
  ] as const)('%s of %s in %s', async (id, from, to) => {
    const { path, notes } = await converted(id, to)
    expect(notes.join(' ')).toMatch(/What stands for an image is .* there\. The tokens, and the scores/)
    const own = golden(id)
    const [source, written] = [await tensorsOf(own.path, own.told), await tensorsOf(path)]
    const isFolded = to === 'birder' || from === 'birder'
    for (const [at, name] of NAMES[to].entries()) {
      // Layouts that keep positions of tokens apart have these in the token where the source adds them to it.
      if (at < 2 && isFolded) continue
      expect(written.values.get(name), name).toEqual(source.values.get(NAMES[from][at] ?? ''))
    }
    expect(written.names).toEqual(expect.arrayContaining([...NAMES[to]]))
  })
})

test("AIMv2 has no bias but that of its patches in timm and in transformers, as its makers' files have it", async () => {
  const timm = await converted('hugging-face/aimv2-headless', 'timm')
  expect((await tensorsOf(timm.path)).names.filter((name) => /^blocks.*bias$/.test(name))).toEqual([])
  expect(configOf(timm.path)).toMatchObject({ model_args: { proj_bias: false } })
  const transformers = await converted('timm/aimv2', 'hugging-face')
  expect((await tensorsOf(transformers.path)).names.filter((name) => /^encoder.*bias$/.test(name))).toEqual(
    [],
  )
  expect(configOf(transformers.path)).toMatchObject({ qkv_bias: false, mlp_bias: false, use_head: false })
})

test("AIMv2's head is timm's pooling with a matrix and a net more, which are nothing on the way home", async () => {
  const { path, notes } = await converted('hugging-face/aimv2', 'timm')
  expect(notes.join(' ')).toMatch(/a matrix for its query there, which leaves it as it is/)
  const { values } = await tensorsOf(path)
  const query = new Float32Array(values.get('attn_pool.q.weight') ?? [])
  expect(query.length).toBe(16 * 16)
  expect(query.every((value, at) => value === (at % 17 === 0 ? 1 : 0))).toBe(true)
  const out = join(folder, 'aimv2-home')
  const home = await convertModel(path, out, { to: 'hugging-face', onWarning: () => {} })
  expect(home.notes.join(' ')).toMatch(/takes its query as it is there/)
  expect(home.notes.join(' ')).not.toMatch(/Left aside/)
  const [own, back] = [await tensorsOf(golden('hugging-face/aimv2').path), await tensorsOf(out)]
  expect(back.values).toEqual(own.values)
})

test("the table of Birder's Simple_ViT is a learnt one elsewhere, and it is told what that means", async () => {
  const { path, notes } = await converted('birder/simple-vit.pt', 'timm')
  expect(notes.join(' ')).toMatch(/makes anew for each size, is a learnt one there/)
  expect((await tensorsOf(path)).values.get('pos_embed')).toEqual(
    (await tensorsOf(golden('birder/simple-vit.pt').path)).values.get('pos_embedding'),
  )
})

describe("a text tower of transformers' CLIP comes along into open_clip's layout", () => {
  const openClipOf = (path: string) =>
    JSON.parse(readFileSync(join(path, 'open_clip_config.json'), 'utf8')) as { model_cfg: PlainRecord }

  test('with its settings, and each of its tensors', async () => {
    const { path, notes } = await converted('hugging-face/clip', 'open-clip')
    expect(notes.join(' ')).not.toMatch(/text tower/)
    expect(openClipOf(path).model_cfg).toMatchObject({
      embed_dim: 24,
      quick_gelu: true,
      text_cfg: {
        context_length: 12,
        vocab_size: 64,
        width: 16,
        heads: 2,
        layers: 2,
        pool_type: 'eos',
        eos_id: 63,
      },
    })
    const [own, written] = [await tensorsOf(golden('hugging-face/clip').path), await tensorsOf(path)]
    const text = own.names.filter((name) => name.startsWith('text_model.'))
    const fused = text.filter((name) => /\.[qkv]_proj\./.test(name))
    const theirs = written.names.filter((name) => !name.startsWith('visual.'))
    // The projection and the scale of the scores lie outside the tower there.
    expect(theirs).toHaveLength(text.length + 2 - (2 * fused.length) / 3)
    const [there, here] = [written.values.get('text_projection'), own.values.get('text_projection.weight')]
    expect(there?.[1]).toBe(here?.[16])
    expect(there?.[24]).toBe(here?.[1])
    const key = own.values.get('text_model.encoder.layers.1.self_attn.k_proj.bias')
    expect(written.values.get('transformer.resblocks.1.attn.in_proj_bias')?.slice(16, 32)).toEqual(key)
  })

  test('and one whose end is the largest token is pooled so', async () => {
    const { path } = await converted('hugging-face/clip-legacy-eos', 'open-clip')
    expect(openClipOf(path).model_cfg.text_cfg).not.toHaveProperty('pool_type')
  })

  test('or it is told why it does not', async () => {
    const alone = await converted('hugging-face/clip-vision', 'open-clip')
    expect(alone.notes.join(' ')).toMatch(/none is written, since the source has none of CLIP/)
    const { path } = await converted('hugging-face/clip', 'hugging-face')
    const file = join(path, 'config.json')
    const settings = JSON.parse(readFileSync(file, 'utf8')) as { text_config: PlainRecord }
    writeFileSync(
      file,
      JSON.stringify({ ...settings, text_config: { ...settings.text_config, hidden_act: 'gelu' } }),
    )
    const other = await convertModel(path, join(folder, 'other-text'), {
      to: 'open-clip',
      onWarning: () => {},
    })
    expect(other.notes.join(' ')).toMatch(
      /activation gelu, and the image tower quick_gelu.*Left aside|Left aside.*the text tower .*activation gelu/,
    )
  })
})

describe("a text tower of open_clip's CLIP", () => {
  const withText = (path: string, text: PlainRecord) => {
    const file = join(path, 'open_clip_config.json')
    const settings = JSON.parse(readFileSync(file, 'utf8'))
    settings.model_cfg.text_cfg = { ...settings.model_cfg.text_cfg, ...text }
    writeFileSync(file, JSON.stringify(settings))
  }

  test('comes along into transformers, whose own files it gives back', async () => {
    for (const id of ['hugging-face/clip', 'hugging-face/clip-legacy-eos']) {
      const { path } = await converted(id, 'open-clip')
      const back = join(folder, `${id.replace('/', '-')}-back`)
      await convertModel(path, back, { to: 'hugging-face', onWarning: () => {} })
      const [own, again] = [await tensorsOf(golden(id).path), await tensorsOf(back)]
      expect(again.values).toEqual(
        new Map([...own.values].filter(([name]) => !name.endsWith('position_ids'))),
      )
      const text = (folderOf: string) => configOf(folderOf).text_config as PlainRecord
      expect(text(back).eos_token_id).toBe(text(dirname(golden(id).path)).eos_token_id)
      expect(configOf(back).architectures).toEqual(['CLIPModel'])
    }
  })

  test.each<readonly [PlainRecord, RegExp]>([
    [{ proj_bias: true }, /since the one of the source has the setting text_cfg\.proj_bias/],
    [{ pool_type: 'last' }, /pool_type "last"/],
    [{ pool_type: 'eos' }, /pool_type "eos" with eos_id 2/],
  ])('with %j is left aside, and told by the name of the setting', async (setting, reason) => {
    const { path } = await converted('hugging-face/clip-legacy-eos', 'open-clip')
    withText(path, setting)
    const out = join(folder, `no-text-${count++}`)
    const { notes } = await convertModel(path, out, { to: 'hugging-face', onWarning: () => {} })
    expect(notes.join(' ')).toMatch(reason)
    expect(configOf(out).architectures).toEqual(['CLIPVisionModelWithProjection'])
  })
})

test('what of a file is not written is told', async () => {
  const clip = await converted('open-clip/vit-quickgelu/epoch_3.pt', 'hugging-face')
  expect(clip.notes.join(' ')).not.toMatch(/Left aside/)
  const image = await converted('open-clip/vit-quickgelu/epoch_3.pt', 'timm')
  expect(image.notes.join(' ')).toMatch(
    /the text tower \(\d+ tensors\), of which nothing is written, since the class has none/,
  )
  expect(clip.notes.join(' ')).toMatch(/last norm is on the class token alone/)
  const mae = await converted('hugging-face/vit-mae', 'birder')
  expect(mae.notes.join(' ')).not.toMatch(/Left aside/)
  const timm = await converted('facebook/dinov3', 'timm')
  expect(timm.notes).toContainEqual(expect.stringMatching(/Left aside.*: mask_token\.$/))
})

test('a head is a projection only where its bias is zeros, since CLIP of transformers has none', async () => {
  const biased = converted('timm/clip', 'hugging-face')
  await expect(biased).rejects.toThrow(/classifier: linear/)
  const { path, notes } = await converted('hugging-face/clip-vision', 'timm')
  expect(notes.join(' ')).toMatch(/projection to the space of texts is the head there/)
  const back = join(folder, 'projected')
  const { notes: told } = await convertModel(path, back, { to: 'hugging-face', onWarning: () => {} })
  expect(told.join(' ')).toMatch(/head, whose bias is zeros/)
  expect(configOf(back).architectures).toEqual(['CLIPVisionModelWithProjection'])
})

async function embeddingOf(model: string) {
  const data = Uint8Array.from({ length: 16 * 16 * 3 }, (_, at) => (at * 7) % 251)
  using encoder = await loadEncoder(model, {
    engine: 'reference',
    recipe: 'native',
    size: 16,
    onWarning: () => {},
  })
  return (await encoder.encode({ width: 16, height: 16, channels: 3, data })).embedding
}

describe('C-RADIO of timm', () => {
  test.each([
    ['radio-v3', 'patch_embed.proj.bias'],
    ['radio-v4', 'patch_embed.proj.bias'],
    ['naflex-radio-v4', 'embeds.proj.bias'],
  ])('%s is RadioModel of transformers where its patches have no bias', async (name, bias) => {
    const own = join(folder, name)
    copyWithZeros(join(packageRoot, 'test/golden/families/more/timm', name), own, bias)
    const out = join(folder, `${name}-of-transformers`)
    const { lossless, notes } = await convertModel(own, out, { to: 'hugging-face', onWarning: () => {} })
    expect(lossless).toBe(true)
    expect(notes.join(' ')).toMatch(/its summary there, which is the class token alone/)
    const { values, types } = await tensorsOf(out)
    expect(types.get('radio_model.summary_idxs')).toBe('I64')
    expect([...(values.get('radio_model.input_conditioner.norm_std') ?? [])]).toEqual([1, 1, 1])
    const scale = 'radio_model.model.blocks.1.layer_scale2.lambda1'
    expect(values.has(scale)).toBe(name === 'radio-v3')
    // transformers takes no whole number for these.
    expect(readFileSync(join(out, 'config.json'), 'utf8')).toMatch(
      /"mlp_ratio": 2\.0,[\s\S]*"norm_std": \[\s+1\.0,\s+1\.0,\s+1\.0\s+\]/,
    )
    const half = join(folder, `${name}-half`)
    await convertModel(own, half, { to: 'hugging-face', dtype: 'f16', onWarning: () => {} })
    expect(configOf(half).dtype).toBe('float16')
    const [timm, transformers] = await Promise.all([own, out].map(embeddingOf))
    expect(largestDifference(timm ?? new Float32Array(), transformers ?? new Float32Array())).toBe(0)
  })

  test('with a bias of patches, or a larger table that is resampled otherwise, is refused by name', async () => {
    await expect(converted('timm/radio-v3', 'hugging-face')).rejects.toThrow(
      /RadioModel does not hold its bias of the patches \(conv_proj\.bias\)/,
    )
    const own = join(folder, 'corners')
    const golden = join(packageRoot, 'test/golden/families/more/timm/naflex-radio-v3')
    copyWithZeros(golden, own, 'embeds.proj.bias')
    await expect(convertModel(own, join(folder, 'no'), { to: 'hugging-face' })).rejects.toThrow(
      /RadioModel does not hold its position table: one that is resampled by bilinear-square-corners/,
    )
  })
})

test('what only PyTorch files hold is refused as safetensors, with the format that has it', async () => {
  const mae = converted('meta/mae-cls', 'facebook', { format: 'safetensors' })
  await expect(mae).rejects.toThrow(/format safetensors, where its files are pt \(--format\)/)
})

test('a copy whose new name no longer tells whose it is says what is otherwise', async () => {
  const { notes } = await converted('meta/ibot/checkpoint_teacher.pth', 'facebook')
  expect(notes.join(' ')).toMatch(
    /resamples positions by the rule antialias, and the source by bicubic-offset/,
  )
  const masked = await converted('meta/ibot-scale-masked/checkpoint_teacher.pth', 'facebook')
  expect(masked.notes).toEqual([])
})
