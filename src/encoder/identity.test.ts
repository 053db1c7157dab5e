import { expect, test } from 'vitest'
import { birderRecipe, namedRecipe, type Recipe } from '../image/recipe.js'
import { IMAGENET_STATS, PLAIN, type VitConfig } from '../model/vit-config.js'
import { identityOf, type ResultParts } from './identity.js'
import { digestOfText } from './weight-digest.js'

const CONFIG: VitConfig = {
  ...PLAIN,
  network: 'vit_t14',
  size: [28, 42],
  channels: 3,
  patchSize: 14,
  width: 16,
  depth: 2,
  heads: 2,
  hidden: 64,
  classToken: true,
  registers: 4,
  epsilon: 1e-6,
  layerScale: true,
  mlp: 'ffn',
  activation: 'gelu',
  pooling: { kind: 'class' },
  positions: { rows: 2, columns: 3, specialRows: true, rule: 'antialias' },
  rgbStats: IMAGENET_STATS,
}
const RECIPE = namedRecipe('timm', { modelSize: [28, 42], patchSize: 14, rgbStats: IMAGENET_STATS })
const ENGINE = { name: 'native', description: 'avx2, 2 threads', precision: 'float32' } as const
const PARTS: ResultParts = {
  name: 'a',
  weights: 'f'.repeat(64),
  origin: null,
  ignoredFields: [],
  config: CONFIG,
  recipe: RECIPE,
  engine: ENGINE,
}

const digestWith = (parts: Partial<ResultParts>) => identityOf({ ...PARTS, ...parts }).digest
const digest = digestWith({})

/** Gives another value of any kind that a config or a recipe has. */
function other(value: unknown): unknown {
  if (typeof value === 'number') return value + 1e-9
  if (typeof value === 'boolean') return !value
  if (typeof value === 'string') return `${value}, another`
  if (Array.isArray(value)) return [...value.slice(0, -1), other(value.at(-1))]
  if (value === null) return { kind: 'another' }
  const entries = Object.entries(value as object)
  const [last = ['', undefined]] = entries.slice(-1)
  return { ...(value as object), [last[0]]: other(last[1]) }
}

test.each(Object.keys(RECIPE).filter((key) => key !== 'name'))('%s of the recipe counts', (key) => {
  const changed = { ...RECIPE, [key]: other(RECIPE[key as keyof Recipe]) } as Recipe
  expect(digestWith({ recipe: changed })).not.toBe(digest)
})

/** No feature depends on these, or another part of the identity holds them. */
const APART = ['network', 'taps', 'size', 'rgbStats', 'classFirst', 'positions']

test.each(Object.keys(CONFIG).filter((key) => !APART.includes(key)))('%s of the config counts', (key) => {
  const changed = { ...CONFIG, [key]: other(CONFIG[key as keyof VitConfig]) } as VitConfig
  expect(digestWith({ config: changed })).not.toBe(digest)
})

test('each of mean and std counts, to the last digit', () => {
  const { mean, std } = IMAGENET_STATS
  for (const rgbStats of [
    { mean: [...mean.slice(0, 2), 0.4060000000000001], std },
    { mean, std: [0.2290000000000001, ...std.slice(1)] },
  ])
    expect(digestWith({ recipe: { ...RECIPE, rgbStats } })).not.toBe(digest)
})

test('the grid of the table, the weights and the precision count', () => {
  const { positions } = CONFIG
  if (positions === null) throw new Error('the config has positions')
  const changes: readonly Partial<ResultParts>[] = [
    { ignoredFields: ['alpha'] },
    { weights: `${'f'.repeat(63)}e` },
    { config: { ...CONFIG, positions: { ...positions, rows: 3 } } },
    { config: { ...CONFIG, positions: null } },
    { engine: { ...ENGINE, precision: 'bfloat16' } },
  ]
  const digests = changes.map(digestWith)
  expect(new Set([digest, ...digests]).size).toBe(changes.length + 1)
})

test('names, layouts, engines and threads do not count', () => {
  const { positions } = CONFIG
  if (positions === null) throw new Error('the config has positions')
  for (const parts of [
    { name: 'b' },
    { engine: { ...ENGINE, name: 'wasm', description: 'SIMD, 9 threads' } },
    { config: { ...CONFIG, network: null } },
    { config: { ...CONFIG, positions: { ...positions, specialRows: false } } },
    // The keys of an object have no order that counts.
    { config: Object.fromEntries(Object.entries(CONFIG).reverse()) as unknown as VitConfig },
  ] satisfies readonly Partial<ResultParts>[])
    expect(digestWith(parts)).toBe(digest)
})

test('recipes of the same numbers are the same, whatever they are called', () => {
  const named = namedRecipe('birder', { modelSize: [28, 42], patchSize: 14, rgbStats: IMAGENET_STATS })
  const made = birderRecipe([28, 42], IMAGENET_STATS, { orientation: 'apply' })
  expect(digestWith({ recipe: made })).toBe(digestWith({ recipe: named }))
  expect(digestWith({ recipe: named })).not.toBe(digest)
})

test('the rule for positions counts where it is followed: on any other grid than the stored one', () => {
  const positions = 'bicubic'
  expect(digestWith({ positions })).toBe(digest)
  for (const recipe of [
    namedRecipe('timm', { modelSize: [28, 42], size: [28, 28], patchSize: 14, rgbStats: IMAGENET_STATS }),
    namedRecipe('native', { modelSize: [28, 42], patchSize: 14, rgbStats: IMAGENET_STATS }),
  ]) {
    expect(digestWith({ recipe, positions })).not.toBe(digestWith({ recipe }))
    expect(digestWith({ recipe, positions: 'antialias' })).toBe(digestWith({ recipe }))
  }
})

test('what is stored beside an output is enough to find the digest again', () => {
  const { weights, settings, digest } = identityOf(PARTS)
  expect(digestOfText(`${weights}\n${settings}`)).toBe(digest)
  expect(JSON.parse(settings)).toMatchObject({ config: { heads: 2 }, recipe: { rgbStats: IMAGENET_STATS } })
})
