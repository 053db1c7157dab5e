/** What a person can say of a model on the command line reaches whoever loads it, under the library's names. */
import { expect, test } from 'vitest'
import type { LoadOptions } from '../../src/encoder/load-options.js'
import { folderWith, runInTest } from './run-in-test.js'
import { standInEncoder } from './stand-in-encoder.mjs'

async function optionsOf(
  ...args: readonly string[]
): Promise<{ options: LoadOptions; stderr: string; code: number }> {
  using folder = folderWith(['a.png'])
  let options: LoadOptions = {}
  const { stderr, code } = await runInTest(['embed', 'a.png', ...args], {
    cwd: folder.path,
    loadEncoder: async (_source, given) => {
      options = given
      return standInEncoder({})
    },
  })
  return { options, stderr, code }
}

test('what no file tells is told by options, and fields that change nothing are named one by one', async () => {
  const { options } = await optionsOf(
    ...['--heads', '3', '--trained-size', '96x32', '--normalisation', 'half', '--crop-fraction', '0.9'],
    ...['--decode', 'scaled'],
    ...['--head', 'h.pth', '--head-pooling', 'max', '--head-patch-layer', '2', '--subfolder', 'encoder'],
    ...['--network', 'vit_s16', '--positions', 'bicubic', '--ignore-field', 'one', '--ignore-field', 'two'],
  )
  expect(options).toMatchObject({
    heads: 3,
    trainedSize: [96, 32],
    normalisation: 'half',
    cropFraction: 0.9,
    decode: 'scaled',
    head: 'h.pth',
    headPooling: 'max',
    headPatchLayer: 2,
    subfolder: 'encoder',
    network: 'vit_s16',
    positions: 'bicubic',
    ignoreFields: ['one', 'two'],
  })
})

test('what is decoded and fetched how has the names of the library', async () => {
  const { options } = await optionsOf(
    ...[
      '--transparency',
      'white',
      '--max-file-bytes',
      '9',
      '--fetch-timeout-ms',
      '8',
      '--allow-private-addresses',
    ],
  )
  expect(options).toMatchObject({
    transparency: 'white',
    maxFileBytes: 9,
    fetchTimeoutMs: 8,
    allowPrivateAddresses: true,
  })
  const { options: plain } = await optionsOf()
  for (const name of ['transparency', 'maxFileBytes', 'fetchTimeoutMs', 'allowPrivateAddresses'])
    expect(plain).not.toHaveProperty(name)
})

test('mean and deviation can be numbers', async () => {
  const { options } = await optionsOf('--normalisation', '0.5,0.4,0.3/1,1,2')
  expect(options.normalisation).toEqual({ mean: [0.5, 0.4, 0.3], std: [1, 1, 2] })
})

test.each([
  ['--normalisation', 'quarter', /imagenet, half, clip, none/],
  ['--normalisation', '1,1,1/0,1,1', /imagenet, half, clip, none/],
  ['--crop-fraction', '1.5', /such as 0\.9/],
  ['--heads', '0', /whole number/],
  ['--decode', 'half', /whole, scaled/],
  ['--positions', 'linear', /antialias, bicubic/],
  ['--transparency', 'black', /drop, white/],
])('%s %s is refused with what can be said', async (option, value, message) => {
  const { code, stderr } = await optionsOf(option, value)
  expect(code).toBe(2)
  expect(stderr).toMatch(message)
})
