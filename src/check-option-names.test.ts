import { expect, test } from 'vitest'
import { checkOptionNames } from './check-option-names.js'

const KNOWN = { size: true, recipe: true } as const

test('an option that is not known is refused, and the nearest named', () => {
  expect(() => checkOptionNames({ sise: 224 }, KNOWN)).toThrow(
    new RangeError('There is no option sise. Did you mean size? There are size, recipe.'),
  )
  // Also where its value is undefined: a program that sets it means something by it.
  expect(() => checkOptionNames({ size: 1, recpie: undefined }, KNOWN)).toThrow(/Did you mean recipe\?/)
})

test('what every object has is no option', () => {
  expect(() => checkOptionNames({ toString: 1 }, KNOWN)).toThrow(/no option toString/)
  expect(() => checkOptionNames({}, KNOWN)).not.toThrow()
})

test.each([[224], ['224'], [null], [[224]]])('%j are no options', (value) => {
  expect(() => checkOptionNames(value, KNOWN)).toThrow(/Options are an object, such as \{ size: … \}/)
})
