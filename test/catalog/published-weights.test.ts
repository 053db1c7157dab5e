/**
 * Tries every published weight of Birder with numbers that are made up: each is known by the name of its file, has the parameters of its network, and gives finite activations of the
 * right shapes at the size that it was trained at. Without PLUMAGE_CATALOG=all only the quickest network of each class is run, and one of large images on small ones.
 */
import { afterAll, describe, expect, test } from 'vitest'
import type { Checkpoint } from '../../src/checkpoint/checkpoint.js'
import { Network, slotValues } from '../../src/encoder/network.js'
import type { Engine } from '../../src/engine/engine.js'
import { createReferenceEngine } from '../../src/engine/reference/reference-engine.js'
import { BIRDER_WEIGHTS } from '../../src/hub/weights-data.js'
import { decodeNetworks } from '../../src/model/decode-networks.js'
import { NETWORK_LINES } from '../../src/model/network-lines.js'
import { readVit, type VitModel } from '../../src/model/read-vit.js'
import { specialTokens } from '../../src/model/vit-config.js'
import { createNativeEngine, nativeAvailability } from '../../src/platform/node/native/index.js'
import { elementCount } from '../../src/tensor/shape.js'
import { hashedCheckpoint, hashedValues } from '../../src/verify/hashed-checkpoint.js'
import { relativeError } from '../conformance/one-step.js'

type Size = readonly [height: number, width: number]

const RUNS_ALL = process.env.PLUMAGE_CATALOG === 'all'
/** Larger ones would take gigabytes; their blocks are those of the smaller ones. */
const MOST_PARAMETERS = 100e6
/** The reference engine takes a second for each ten million parameters of so few patches. */
const MOST_COMPARED = RUNS_ALL ? MOST_PARAMETERS : 30e6
/** Is what a processor multiplies in a few seconds at most. */
const MOST_WORK = 1e11
const COMPARED_GRID = { rows: 4, columns: 2 }
/** Some 70 products follow each other at most, each of them within 2e-6 at worst and 3e-7 as a rule. */
const TOLERANCE = 1e-5
/** No published classifier has more classes than ImageNet-21k. */
const MOST_CLASSES = 21_841
/** A list says sizes in MiB, to one decimal. */
const [MEBIBYTE, ROUNDING] = [2 ** 20, 0.05]
/** A published file has names, records and a list of classes beside its numbers. */
const MOST_BESIDE = 2 * MEBIBYTE

const networks = decodeNetworks(NETWORK_LINES)
const published = Object.entries(BIRDER_WEIGHTS).map(([name, { net, resolution, formats }]) => {
  const network = networks.get(net.network)
  if (network === undefined) throw new Error(`${name} is of ${net.network}, which no line describes.`)
  const [height, width] = resolution
  const size: Size = [height, width]
  return { name, network: net.network, ...network, ownSize: network.size, size, formats }
})

/** Gives a file of the published name and layout, which says nothing but the size that it was trained at. */
function fileOf(name: string, network: string, size: Size): Checkpoint {
  return { ...hashedCheckpoint(network, size, 'catalog'), label: `${name}.pt` }
}

function countParameters({ tensors }: Checkpoint): number {
  return [...tensors.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0)
}

describe('every published weight is known by the name of its file', () => {
  test('there are 61, and none is left out', () => expect(published).toHaveLength(61))

  test.each(published)(
    '$name',
    ({ name, network, parameters, size, config: registered, formats, ownSize }) => {
      const file = fileOf(name, network, size)
      const { config, assumptions } = readVit(file)
      expect(config).toMatchObject({
        network,
        size,
        patchSize: registered.patch_size,
        depth: registered.num_layers,
        heads: registered.num_heads,
        width: registered.hidden_dim,
      })
      // Only levels are told by nothing here; a published file has them.
      expect(assumptions).toEqual([expect.stringMatching(/mean and deviation/)])

      // Birder counts at the size of a network's name, where there are fewer positions.
      expect(countParameters(hashedCheckpoint(network, ownSize ?? size, 'catalog'))).toBe(parameters)

      const bytes = 4 * countParameters(file)
      const listed = (formats.pt?.file_size ?? Number.NaN) * MEBIBYTE
      const classifier = 4 * MOST_CLASSES * (config.width + 1)
      expect(listed).toBeGreaterThan(bytes - ROUNDING * MEBIBYTE)
      expect(listed).toBeLessThan(bytes + classifier + MOST_BESIDE)
    },
  )
})

/** Files of one network and size, which differ in their numbers alone, are run once. */
const distinct = [...new Map(published.map((one) => [`${one.network} ${one.size}`, one])).values()]
  .filter(({ parameters }) => isSmall(parameters))
  .sort((a, b) => workOf(a) - workOf(b))
const quickest = distinct
  .filter((one) => distinct.find((other) => other.class === one.class) === one)
  .map((one) => (workOf(one) <= MOST_WORK ? one : { ...one, size: one.ownSize ?? one.size }))
const run = RUNS_ALL ? distinct : quickest

function isSmall(parameters: number | null): boolean {
  return parameters !== null && parameters <= MOST_PARAMETERS
}

/** Counts the multiplications of an image's products, about. */
function workOf({ parameters, size: [height, width], config }: (typeof published)[number]): number {
  return (Number(parameters) * height * width) / Number(config.patch_size) ** 2
}

/** Their numbers are made once, and not again for the other engine. */
function keptOf(vit: VitModel): VitModel {
  const kept = new Map<string, Promise<Float32Array>>()
  const read: VitModel['weights']['read'] = (name, shape) => {
    const found = kept.get(name) ?? vit.weights.read(name, shape)
    kept.set(name, found)
    return found
  }
  return { ...vit, weights: { read } }
}

describe.skipIf(!nativeAvailability().available)('networks of published weights run', () => {
  let engine: (Engine & AsyncDisposable) | null = null
  const native = () => (engine ??= createNativeEngine())
  afterAll(() => engine?.[Symbol.asyncDispose]())

  test('every class is among them', () => {
    expect(new Set(run.map((one) => one.class))).toEqual(new Set(published.map((one) => one.class)))
  })

  test('only these are too large', () => {
    const names = published.flatMap(({ name, parameters }) => (isSmall(parameters) ? [] : [name]))
    expect(names).toEqual([
      'naflex_i_vit_so400m_p16_ap_c1_siglip-v2-webli',
      'naflex_vit_reg4_so150m_p14_ls_dino-v2-bio-intermediate-eu-common',
      'naflex_vit_reg4_so150m_p14_ls_dino-v2-bio-intermediate-il-all',
      'rope_i_vit_l14_nf_swiglu_c1_eva02-clip',
      'rope_i_vit_l14_pn_aps_c1_pe-core',
      'rope_vit_reg8_so150m_p14_swiglu_rms_ap_rotnet-capi',
      'rope_vit_reg8_so150m_p14_swiglu_rms_avg_capi',
      'vit_h14_pn_bioclip-v25',
      'vit_l14_pn_bioclip-v2',
      'vit_l14_pn_quick_gelu_openai-clip',
      'vit_l16_mim_200',
      'vit_l16_mim_400',
      'vit_reg4_l14_nps_ls_dino-v2-lvd142m',
      'vit_reg4_so150m_p14_avg_mim-bio',
      'vit_reg4_so150m_p14_ls_dino-v2-bio-224px',
      'vit_reg4_so150m_p14_ls_dino-v2-bio-252px',
      'vit_reg4_so150m_p14_ls_dino-v2-bio-336px',
      'vit_so400m_p14_ap_c1_siglip-v2-webli',
    ])
  })

  test.each(run)('$name, $class', async ({ name, network, size, parameters }) => {
    const vit = keptOf(readVit(fileOf(name, network, size)))
    using loaded = await Network.load(vit, native())
    const { config } = loaded
    const grid = loaded.gridOf(size)
    const { plan, slots } = loaded.planFor(grid)
    const pixels = hashedValues('catalog', 'pixels', 3 * size[0] * size[1], 2, 0)
    const values = await loaded.run(pixels, { grid, outputs: [slots.embedding, slots.tokens] })
    const [embedding, tokens] = [slotValues(values, slots.embedding), slotValues(values, slots.tokens)]
    expect(embedding).toHaveLength(loaded.embeddingWidth)
    expect(plan.slots.get(slots.tokens)).toEqual([
      specialTokens(config) + grid.rows * grid.columns,
      config.neck ?? config.width,
    ])
    expect(tokens).toHaveLength(elementCount(plan.slots.get(slots.tokens) ?? []))
    expect(tokens.every(Number.isFinite) && embedding.every(Number.isFinite)).toBe(true)
    expect(new Set(embedding).size).toBeGreaterThan(embedding.length / 2)

    if (Number(parameters) > MOST_COMPARED) return
    using truth = await Network.load(vit, createReferenceEngine())
    const small = await runSmall(loaded)
    expect(relativeError(small, await runSmall(truth))).toBeLessThan(TOLERANCE)
  })
})

async function runSmall(network: Network): Promise<Float32Array> {
  const { patchSize } = network.config
  const { embedding, tokens } = network.planFor(COMPARED_GRID).slots
  const count = 3 * COMPARED_GRID.rows * COMPARED_GRID.columns * patchSize ** 2
  const pixels = hashedValues('catalog', 'small', count, 2, 0)
  const values = await network.run(pixels, { grid: COMPARED_GRID, outputs: [embedding, tokens] })
  return slotValues(values, tokens)
}
