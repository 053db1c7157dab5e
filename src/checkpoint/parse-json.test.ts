import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseJson } from './parse-json.js'

test.each([
  ['{"a": 1, "a": 2}', 'a'],
  ['{"a": 1, "\\u0061": 2}', 'a'],
  ['[{"x": {"b": [], "c": 1, "b": 2}}]', 'b'],
  ['{"__proto__": 1, "__proto__": 2}', '__proto__'],
])('%s names a key twice', (text, key) => {
  expect(() => parseJson(text, 'it')).toThrow(`it names "${key}" twice`)
})

test.each([
  '{"a": {"a": 1}, "b": {"a": 2}}',
  '[{"a": 1}, {"a": 1}]',
  '{"a": "b", "b": "a"}',
  '{"a": ["b", "b"], "b": "\\"b\\": 1"}',
])('%s does not', (text) => {
  expect(parseJson(text, 'it')).toEqual(JSON.parse(text))
})

test('whatever JSON.stringify writes is read back', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value)
      expect(parseJson(text, 'it')).toEqual(JSON.parse(text))
    }),
    { numRuns: 200 },
  )
})

test('a hundred thousand brackets are refused or read, never a crash', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000)
  try {
    parseJson(deep, 'it')
  } catch (error) {
    expect(error).toMatchObject({ name: 'CheckpointError', code: 'malformed' })
  }
})
