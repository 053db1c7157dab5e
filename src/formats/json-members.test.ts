import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonMembers } from './json-members.js'

test('members put together again are the object, whatever it holds and however it is spaced', () => {
  const law = fc.property(
    fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()),
    fc.constantFrom(undefined, 1, '\t'),
    (object, space) => {
      const text = JSON.stringify(object, null, space)
      const members = jsonMembers(text)
      expect(members.map(({ key }) => key)).toEqual(Object.keys(JSON.parse(text)))
      expect(JSON.parse(`{${members.map((member) => member.text).join(',')}}`)).toEqual(JSON.parse(text))
    },
  )
  fc.assert(law)
})

test('numbers, escapes and repeated keys stay as they are written', () => {
  const text =
    ' {"id":12345678901234567890 , "1" : 1.10,"a":"\\"}\\\\","b":[{"c":"]"},2],"a":-0e5,"\\u0061b":null}'
  expect(jsonMembers(text)).toEqual([
    { key: 'id', text: '"id":12345678901234567890' },
    { key: '1', text: '"1" : 1.10' },
    { key: 'a', text: '"a":"\\"}\\\\"' },
    { key: 'b', text: '"b":[{"c":"]"},2]' },
    { key: 'a', text: '"a":-0e5' },
    { key: 'ab', text: '"\\u0061b":null' },
  ])
  expect(jsonMembers('{ }')).toEqual([])
})
