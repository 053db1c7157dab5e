import { expect, test } from 'vitest'
import { isAddress, shownPlace } from './is-address.js'

test.each([
  'postgres://host/db?collection=a',
  'postgresql:///db',
  'HTTPS://host/a.jpg',
  's3://bucket/a.jpg',
  'file:/photos/a.jpg',
  'data:image/png;base64,AAAA',
])('%s is an address', (text) => expect(isAddress(text)).toBe(true))

test.each([
  'photos.plumage',
  '/a/b',
  'C:\\photos',
  'c:/photos',
  'c://photos',
  'a:b',
  './postgres:/x',
  'my data: a',
])('%s is a path', (text) => expect(isAddress(text)).toBe(false))

test('no password is shown, wherever it stands', () => {
  expect(shownPlace('photos.plumage')).toBe('photos.plumage')
  expect(shownPlace('file:/photos.plumage')).toBe('file:/photos.plumage')
  expect(shownPlace('postgres://me:sec:r@et@host:5433/db?collection=a&password=secret#secret')).toBe(
    'postgres://me@host:5433/db?collection=a',
  )
  expect(shownPlace('postgresql://host/db?sslmode=require')).toBe('postgresql://host/db')
  expect(shownPlace('postgres:///db?password=secret&collection=a.regions')).toBe(
    'postgres:///db?collection=a.regions',
  )
})
