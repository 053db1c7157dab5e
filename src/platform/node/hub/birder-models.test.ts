/** Where Birder looks for weights, as its settings say. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/weights-server.js'
import { birderModels } from './birder-models.js'

test.each([
  ['', 'models'],
  ['BASE_DIR = "data"\n', 'data/models'],
  ["# mine\nBASE_DIR = 'data'\nMODELS_DIR = 'weights' # here\n", 'weights'],
])('birder.toml moves the folder: %s', async (text, expected) => {
  await using folder = await temporaryFolder()
  await writeFile(join(folder.path, 'birder.toml'), text)
  expect(birderModels({}, folder.path)).toBe(join(folder.path, expected))
  expect(birderModels({ MODELS_DIR: 'elsewhere' }, folder.path)).toBe(join(folder.path, 'elsewhere'))
})
