/** An option that is mistyped does nothing, and nobody would know: each public call that takes options refuses it and names the nearest one. */
import { expect, test } from 'vitest'
import * as birder from '../../src/platform/node/birder.js'
import * as plumage from '../../src/platform/node/index.js'
import { MINI } from '../support/mini.js'

/** Is as wrong as what a person types in plain JavaScript, where no compiler objects. */
const wrong = (option: string): never => ({ [option]: 1 }) as never
const stats = { mean: [0, 0, 0], std: [1, 1, 1] } as const

const CALLS: readonly (readonly [call: string, run: () => unknown, meant: string])[] = [
  ['loadEncoder', () => plumage.loadEncoder(MINI, wrong('sise')), 'size'],
  ['describeModel', () => plumage.describeModel(MINI, wrong('recipie')), 'recipe'],
  ['chooseEngine', () => plumage.chooseEngine(wrong('thread')), 'threads'],
  ['findModel', () => plumage.findModel(MINI, wrong('ofline')), 'offline'],
  ['decodeImage', () => plumage.decodeImage('a.jpg', wrong('orientaton')), 'orientation'],
  ['openVit', () => plumage.openVit('a', wrong('hed')), 'heads'],
  ['openFile', () => plumage.openFile('a', wrong('signl')), 'signal'],
  ['downloadFile', () => plumage.downloadFile('https://a.example/b', 'b', wrong('sha25')), 'sha256'],
  ['resolveWeights', () => plumage.resolveWeights('x', wrong('fromat')), 'format'],
  ['createNativeEngine', () => plumage.createNativeEngine(wrong('precison')), 'precision'],
  ['createWasmEngine', () => plumage.createWasmEngine(wrong('relax')), 'relaxed'],
  ['createWebgpuEngine', () => plumage.createWebgpuEngine(wrong('verfy')), 'verify'],
  ['createEncoder', () => plumage.createEncoder(wrong('recipee')), 'recipe'],
  ['Network.load', () => plumage.Network.load(wrong('vit'), wrong('engine'), wrong('position')), 'positions'],
  ['verifyGoldens', () => plumage.verifyGoldens('.', wrong('filtre')).next(), 'filter'],
  ['loadPretrainedModel', () => birder.loadPretrainedModel('x', wrong('inferrence')), 'inference'],
  ['loadModel', () => birder.loadModel('x', wrong('newsize')), 'newSize'],
  ['openImage', () => birder.openImage('a.jpg', wrong('signl')), 'signal'],
  [
    'classificationTransform',
    () => birder.classificationTransform([28, 28], stats, wrong('centreCrop')),
    'centerCrop',
  ],
  [
    'inferBatch',
    () => birder.inferBatch(wrong('net'), wrong('inputs'), wrong('returnEmbeding')),
    'returnEmbedding',
  ],
]

test.each(CALLS)('%s', async (_call, run, meant) => {
  const attempt = (async () => await run())()
  await expect(attempt).rejects.toMatchObject({
    name: 'RangeError',
    message: expect.stringMatching(new RegExp(`^There is no option \\w+\\. Did you mean ${meant}\\?`)),
  })
})

test('encode and encodeAll of an encoder', async () => {
  await using encoder = await plumage.loadEncoder(MINI, { engine: 'wasm', threads: 1, size: 28 })
  await expect(encoder.encode('a.jpg', wrong('layer'))).rejects.toThrow('Did you mean layers?')
  expect(() => encoder.encodeAll([], wrong('bach'))).toThrow('Did you mean batch?')
})

test('an option that the choice of another one makes useless is refused too', async () => {
  await expect(plumage.chooseEngine({ engine: 'reference', threads: 2 })).rejects.toThrow(
    'The option threads is for native and wasm; the engine reference has none',
  )
  await expect(plumage.loadEncoder(MINI, { maxPatches: 100 })).rejects.toThrow("add recipe: 'native'")
})
