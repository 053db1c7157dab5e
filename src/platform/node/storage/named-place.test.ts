import { expect, test } from 'vitest'
import { lastNameOf, namedPlace, shownName } from './named-place.js'

test.each([
  ['photos/a.jpg', { kind: 'path', path: 'photos/a.jpg' }],
  ['c:\\photos\\a.jpg', { kind: 'path', path: 'c:\\photos\\a.jpg' }],
  ['a:b', { kind: 'path', path: 'a:b' }],
  ['file:///photos/a%20b.jpg', { kind: 'path', path: '/photos/a b.jpg' }],
  ['s3://bucket/a?b#c', { kind: 'object', address: 's3://bucket/a?b#c' }],
  ['s3://bucket/folder/', { kind: 'object', address: 's3://bucket/folder' }],
  ['s3://bucket/', { kind: 'object', address: 's3://bucket' }],
  ['HTTPS://host/a.npy?x=1', { kind: 'web', address: 'HTTPS://host/a.npy?x=1' }],
])('%s', (text, place) => {
  expect(namedPlace(text)).toEqual(place)
})

test.each([
  ['s4://bucket/a', 'wrong-key', 'Did you mean s3:?'],
  ['htps://host/a', 'wrong-key', 'Did you mean https:?'],
  ['ftp://host/a', 'wrong-key', 'expected a path'],
  ['abfs://container/a', 'refused', 'AZURE_STORAGE_CONNECTION_STRING'],
  ['azz://container/a', 'wrong-key', 'Did you mean az:'],
  ['file://other/a', 'wrong-key', 'this machine'],
])('%s is refused', (text, code, message) => {
  expect(() => namedPlace(text)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) }),
  )
})

test('what is secret in an address is not shown', () => {
  expect(shownName('https://me:SECRET@host:8000/a/b.npy?sig=SECRET#c')).toBe('https://host:8000/a/b.npy')
  expect(shownName('s3://bucket/a?b')).toBe('s3://bucket/a?b')
  expect(shownName('a?b')).toBe('a?b')
})

test.each([
  ['https://host/a/b%20c.npy?x=/y', { folder: '/a/', name: 'b c.npy' }],
  ['https://host/a/', { folder: '/a/', name: '' }],
  // What cannot be decoded stands for itself.
  ['https://host/a/%zz.npy', { folder: '/a/', name: '%zz.npy' }],
])('the last name of %s', (text, expected) => {
  expect(lastNameOf(new URL(text))).toEqual(expected)
})
