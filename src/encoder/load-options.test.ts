import { expect, test } from 'vitest'
import { BROWSER } from '../platform/browser/engine-choices.js'
import { NODE } from '../platform/node/engine-choices.js'
import { checkLoadOptions, precisionAmong } from './load-options.js'

test('what a platform lacks is refused by its name, with what there is instead', () => {
  const cases = [
    [BROWSER, { engine: 'native' }, /option engine is "native"; it can be auto, webgpu, wasm, reference/],
    [BROWSER, { precision: 'high' }, /option precision is "high"; it can be auto, float32/],
    [BROWSER, { instructionSet: 'avx2' }, /no option instructionSet in a browser: .* webgpu and wasm/],
    [BROWSER, { offline: true }, /no option offline in a browser: .*listStoredModels/],
    [BROWSER, { offline: false }, /no option offline/],
    [BROWSER, { decode: 'scaled' }, /no option decode in a browser: .*whole/],
    [NODE, { sha256: '0'.repeat(64) }, /no option sha256 in Node: .*downloadFile/],
  ] as const
  for (const [platform, options, message] of cases) {
    expect(() => checkLoadOptions(options, platform)).toThrow(message)
    expect(() => checkLoadOptions(options, platform)).toThrow(RangeError)
  }
})

test('what makes no sense anywhere is named on both platforms', () => {
  for (const platform of [NODE, BROWSER]) {
    expect(() => checkLoadOptions({ heads: 0 }, platform)).toThrow(/option heads is 0/)
    expect(() => checkLoadOptions({ maxPixels: 1.5 }, platform)).toThrow(/option maxPixels is 1.5/)
    expect(() => checkLoadOptions({ trainedSize: '64' as never }, platform)).toThrow(
      /option trainedSize is "64"/,
    )
    expect(() => checkLoadOptions({ head: '' }, platform)).toThrow(/option head is ""/)
    expect(() => checkLoadOptions({ headPooling: 'max' }, platform)).toThrow(
      /give its file as the option head/,
    )
    expect(() => checkLoadOptions({ head: 'h', headPooling: 'min' as never }, platform)).toThrow(
      /headPooling/,
    )
    expect(() => checkLoadOptions({ positions: 'nope' as never }, platform)).toThrow(/option positions/)
    expect(() => checkLoadOptions({ recipe: 'nope' as never }, platform)).toThrow(/option recipe/)
    expect(() => checkLoadOptions({ decode: 'half' as never }, platform)).toThrow(/option decode/)
    expect(() => checkLoadOptions({ sha256: undefined, offline: undefined } as never, platform)).not.toThrow()
  }
})

test('every choice that a platform offers passes its own check', () => {
  for (const platform of [NODE, BROWSER]) {
    for (const engine of platform.engines) checkLoadOptions({ engine }, platform)
    for (const precision of platform.precisions) checkLoadOptions({ precision }, platform)
  }
})

test('a precision is one that the engine has, or its own choice, or refused with what it has', () => {
  expect(precisionAmong('wasm', 'int8', ['float32', 'int8'])).toBe('int8')
  expect(precisionAmong('wasm', 'auto', ['float32', 'int8'])).toBeUndefined()
  expect(() => precisionAmong('wasm', 'high', ['float32', 'int8'])).toThrow(
    'The wasm engine has no precision high; it has float32, int8.',
  )
})
