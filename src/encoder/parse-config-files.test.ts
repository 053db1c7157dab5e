import { expect, test } from 'vitest'
import { CONFIG_FILES, parseConfigFiles } from './parse-config-files.js'

const read = async (files: Readonly<Record<string, string | Uint8Array>>) =>
  parseConfigFiles(
    CONFIG_FILES.map((name) => {
      const content = files[name]
      if (content === undefined) return null
      return {
        label: `there/${name}`,
        bytes: typeof content === 'string' ? new TextEncoder().encode(content) : content,
      }
    }),
  )

test('each file is read where it is there; a mark of byte order, as editors on Windows write, changes nothing', async () => {
  expect(await read({})).toEqual({})
  expect(await read({ 'config.json': '\ufeff{"a": 1}' })).toEqual({ configFile: { a: 1 } })
  expect(await read({ 'config.json': '{}', 'preprocessor_config.json': '{"size": 2}' })).toEqual({
    configFile: {},
    preprocessorFile: { size: 2 },
  })
  expect(await read({ 'processor_config.json': '{"image_processor": {}}' })).toEqual({
    processorFile: { image_processor: {} },
  })
})

test.each([
  [
    'is not JSON',
    '{',
    /^there\/config\.json, which lies beside the weights, must be mended or taken away: it is not JSON/,
  ],
  ['names a field twice', '{"heads": 1, "heads": 2}', /names "heads" twice/],
  ['is no UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), /is not valid UTF-8/],
])('a file that %s is refused', async (_, content, message) => {
  await expect(read({ 'config.json': content })).rejects.toMatchObject({
    code: 'malformed',
    message: expect.stringMatching(message),
  })
})
