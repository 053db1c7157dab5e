import { expect, test } from 'vitest'
import { nextHop } from './open-url.js'

test.each([
  ['https://hub.example/a', '/b', 'https://hub.example/b'],
  ['https://hub.example/a', 'https://cdn.example/b?s=1', 'https://cdn.example/b?s=1'],
  ['http://hub.example/a', 'http://cdn.example/b', 'http://cdn.example/b'],
  ['http://hub.example/a', 'https://cdn.example/b', 'https://cdn.example/b'],
  ['https://hub.example/a', 'http://127.0.0.1:8080/b', 'http://127.0.0.1:8080/b'],
  ['https://hub.example/a', 'http://localhost/b', 'http://localhost/b'],
])('%s may redirect to %s', (from, location, expected) => {
  expect(nextHop(new URL(from), location).href).toBe(expected)
})

test.each([
  'http://cdn.example/b',
  'http://127.0.0.1.example/b',
  'file:///etc/passwd',
  'ftp://cdn.example/b',
  'data:,x',
])('https may not redirect to %s', (location) => {
  expect(() => nextHop(new URL('https://hub.example/a'), location)).toThrow(
    expect.objectContaining({
      code: 'insecure-redirect',
      message: expect.stringContaining('https://hub.example/a'),
    }),
  )
})
