import { expect, test } from 'vitest'
import { counts, each, type FieldTable, judgeFields, nothing, only } from './fields.js'

const TABLE: FieldTable = {
  title: 'a library: its file',
  source: 'here',
  prefix: 'inner.',
  fields: {
    width: counts('the width'),
    ...each(['url', 'license'], nothing('told to people')),
    bias: only([true, null], 'there is no network without'),
    shape: only([[1, 2]], 'no other is known'),
  },
}
const judge = (values: Parameters<typeof judgeFields>[0], ignored?: readonly string[]) => () =>
  judgeFields(values, TABLE, { label: 'x.json', ignored })

test('a field that counts or changes nothing may have any value', () => {
  expect(judge({ width: 'wide', url: 7, license: null })).not.toThrow()
})

test('a field with known values has one of them, lists compared by their items', () => {
  expect(judge({ bias: true, shape: [1, 2] })).not.toThrow()
  expect(judge({ bias: null })).not.toThrow()
  expect(judge({ bias: false })).toThrow(
    'x.json: inner.bias is false, and only true or null is computed here',
  )
  expect(judge({ shape: [1, 3] })).toThrow(expect.objectContaining({ code: 'unsupported-field' }))
})

test('an unknown field is refused by name, with what it may have meant and how to let it pass', () => {
  expect(judge({ witdh: 1 })).toThrow(/inner\.witdh.*Is inner\.width meant\?.*--ignore-field inner\.witdh/)
  expect(judge({ completely: 1 })).toThrow(expect.objectContaining({ code: 'unknown-field' }))
  expect(judge({ completely: 1 })).not.toThrow(/meant/)
})

test('what is said to change nothing passes, and what is known to count does not', () => {
  expect(judge({ completely: 1 }, ['inner.completely'])).not.toThrow()
  expect(judge({ bias: true }, ['inner.bias'])).toThrow(/inner\.bias is true.*cannot be passed over/)
})

test('of a file beside the weights it is said that it may be there by chance', () => {
  const beside = { ...TABLE, isBeside: true }
  expect(() => judgeFields({ port: 80 }, beside, { label: 'x.json' })).toThrow(/move it away/)
  expect(judge({ port: 80 })).not.toThrow(/move it away/)
})

test('a name that every object has is no field of a table', () => {
  expect(judge({ toString: 1 })).toThrow(/toString/)
})
