import { expect, test } from 'vitest'
import { latin1 } from '../../test/support/torch-file.js'
import { describeBytes } from './describe-bytes.js'

test.each([
  ['<!DOCTYPE html><html>', /HTML/],
  ['\n <html lang="en">', /HTML/],
  ['version https://git-lfs.github.com/spec/v1\noid sha256:', /git LFS pointer/],
  ['\x1f\x8b\x08\x00\x00\x00\x00\x00', /gzip/],
  [`model.pth${'\0'.repeat(248)}ustar\x0000`, /tar archive/],
  ['GGUF\x03\x00\x00\x00', /GGUF/],
  ['\x08\x08\x12\x07pytorch\x1a\x05', /ONNX/],
  ['\xff\xd8\xff\xe0\x00\x10JFIF', /JPEG/],
  ['\x89PNG\r\n\x1a\n', /PNG/],
  ['\x80\x04\x95\x10\x00\x00', /bare pickle/],
  ['404: Not Found, sorry', /text \("404: Not Found, sorry"\)/],
  ['\x00\x01\x02\x03\x04\x05\x06\x07\x08', /first bytes are 00 01 02 03 04 05 06 07\)/],
])('%j is recognised', (text, expected) => {
  expect(describeBytes(latin1(text))).toMatch(expected)
})
