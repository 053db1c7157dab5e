import { expect, test } from 'vitest'
import { showUrl } from './show-url.js'

test.each([
  ['https://me:pass@hub.example/w.pt?token=x#y', 'https://hub.example/w.pt'],
  ['blob:https://page.example/0b1c', 'a blob: address'],
  ['data:application/octet-stream;base64,AAAA', 'a data: address'],
])('%s is shown without login, query and bytes', (url, expected) => {
  expect(showUrl(new URL(url))).toBe(expected)
})
