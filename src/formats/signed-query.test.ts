import { expect, test } from 'vitest'
import { withoutSignature } from './signed-query.js'

test.each([
  ['https://h/a.jpg?X-Amz-Algorithm=A&X-Amz-Expires=60&X-Amz-Signature=SECRET', 'https://h/a.jpg'],
  ['https://h/a.jpg?w=1&Expires=5&Signature=SECRET&Key-Pair-Id=K', 'https://h/a.jpg?w=1'],
  ['https://h/c/a.jpg?sv=1&sr=b&sp=r&sig=SECRET%3D', 'https://h/c/a.jpg'],
  ['https://h/a.jpg?st=north&w=1', 'https://h/a.jpg?st=north&w=1'],
  ['https://h/a.jpg', 'https://h/a.jpg'],
  ['s3://bucket/a?sig=1', 's3://bucket/a?sig=1'],
])('%s', (address, expected) => {
  expect(withoutSignature(address)).toBe(expected)
})
