import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { findPretrainedOrNull, listPretrainedModels } from './weights.js'
import { BIRDER_WEIGHTS, WEIGHTS_RELEASE } from './weights-data.js'

test('names are grouped by what comes before the first underscore', () => {
  const families = listPretrainedModels().map((name) => name.split('_')[0])
  expect([...new Set(families)]).toEqual(['deit', 'deit3', 'flexivit', 'naflex', 'rope', 'vit'])
  expect(families).toEqual([...families].sort())
  expect(families).toHaveLength(61)
})

test('a filter matches whole names', () => {
  expect(listPretrainedModels('vit_reg4_?14_nps_ls_dino-v2*')).toEqual([
    'vit_reg4_b14_nps_ls_dino-v2-lvd142m',
    'vit_reg4_l14_nps_ls_dino-v2-lvd142m',
    'vit_reg4_s14_nps_ls_dino-v2-lvd142m',
  ])
  expect(listPretrainedModels('vit')).toEqual([])
})

test('names are matched to the letter, and what every object has is no name', () => {
  expect(findPretrainedOrNull('vit_reg4_l14_nps_ls_dino-v2-lvd142m')?.formats.pt?.sha256).toMatch(
    /^441721029ca0ef85/,
  )
  expect(findPretrainedOrNull('VIT_REG4_L14_NPS_LS_DINO-V2-LVD142M')).toBeNull()
  expect(findPretrainedOrNull('constructor')).toBeNull()
})

test('every entry has a hash and a size, and is named network, tag and epoch, so that the file name carries the epoch', () => {
  for (const [name, { formats, net, resolution }] of Object.entries(BIRDER_WEIGHTS)) {
    expect(name).toBe([net.network, net.tag, net.epoch].filter((part) => part !== undefined).join('_'))
    expect(formats.pt?.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(formats.pt?.file_size).toBeGreaterThan(1)
    expect(resolution).toHaveLength(2)
  }
})

const registry = '../shared/birder/weights.json'
test.skipIf(!existsSync(registry))("the list is Birder's registry to the letter", () => {
  expect({ birder_version: WEIGHTS_RELEASE, weights: BIRDER_WEIGHTS }).toEqual(
    JSON.parse(readFileSync(registry, 'utf8')),
  )
})
