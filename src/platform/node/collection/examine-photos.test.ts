import { expect, test } from 'vitest'
import { gathered } from '../../../../test/support/gathered.js'
import { ImageError } from '../../../image/image-error.js'
import { examineWith, type PhotoEncoder } from './examine-photos.js'

const PHOTO = {
  root: 'r',
  path: 'a.jpg',
  full: 's3://b/a.jpg',
  file: 's3://b/a.jpg',
  bytes: 1,
  modified: 0,
  sidecars: [],
  sidecarsModified: null,
}

/** Reads no photo, and fails as it is told. */
const failing = (error: Error) =>
  ({
    identity: { settings: '{}' },
    async *encodeAll(sources: AsyncIterable<unknown>) {
      let index = 0
      for await (const _ of sources) yield { index: index++, error }
    },
  }) as unknown as PhotoEncoder

test('a photo that is none fails by itself, and a server that does not answer ends the work', async () => {
  const examine = (error: Error) =>
    gathered(
      examineWith(failing(error))(
        (async function* () {
          yield PHOTO
        })(),
        { isKnown: () => false, signal: undefined },
      ),
    )
  const broken = new ImageError('not-an-image', 'it is none')
  expect(await examine(broken)).toEqual([{ photo: PHOTO, error: broken, values: {} }])
  const down = new ImageError('download-failed', 'the server does not answer')
  await expect(examine(down)).rejects.toBe(down)
})
