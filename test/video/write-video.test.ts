/** Writes real films of made pictures, and reads them again. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { encodedFrames } from '../../src/cli/commands/picture/film-picture.js'
import { PhotoEncoder } from '../../src/cli/commands/picture/photo-encoder.js'
import { colorPatches, fitPatchColors } from '../../src/picture/patch-colors.js'
import { decodeImage } from '../../src/platform/node/decode-image.js'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { describeVideo, openVideo } from '../../src/platform/node/video/describe-video.js'
import { spreadFrames } from '../../src/platform/node/video/spread-frames.js'
import { videoFrames } from '../../src/platform/node/video/video-frames.js'
import { type TimedPicture, writeVideo } from '../../src/platform/node/video/write-video.js'
import { clip, ffmpegPath } from '../support/clips.js'
import { ownFolder } from '../support/made-once.js'
import { MINI } from '../support/mini.js'

const folder = ownFolder('write-video')
const place = (name: string) => join(folder, name)

/** Gives grey pictures, each lighter than the one before. */
async function* greys(times: readonly number[], height = 48, width = 64): AsyncGenerator<TimedPicture> {
  for (const [index, seconds] of times.entries()) {
    const data = new Uint8Array(height * width * 3).fill(20 + 20 * index)
    yield { image: { height, width, data }, seconds }
  }
}

async function contentOf(path: string) {
  const found: { seconds: number; level: number }[] = []
  for await (const { seconds, data } of videoFrames(path)) found.push({ seconds, level: data[0] ?? 0 })
  return found
}

describe.skipIf(ffmpegPath === null)('a film that is written', () => {
  test.each(['mp4', 'mov', 'mkv'])(
    'has each picture at its own time, whatever the steps: %s',
    async (ending) => {
      const path = place(`times.${ending}`)
      const times = [0, 0.04, 0.5, 0.52, 2, 2.125]
      const { frames, encoder } = await writeVideo(path, greys(times))
      expect({ frames, encoder }).toEqual({ frames: 6, encoder: expect.any(String) })
      const found = await contentOf(path)
      for (const [index, { seconds, level }] of found.entries()) {
        expect(seconds).toBeCloseTo(times[index] ?? Number.NaN, 3)
        expect(Math.abs(level - 20 - 20 * index)).toBeLessThan(4)
      }
      expect(found).toHaveLength(6)
    },
  )

  test('has sides of odd lengths, with a line more', async () => {
    await writeVideo(place('odd.mp4'), greys([0, 1], 31, 45))
    expect(await describeVideo(place('odd.mp4'))).toMatchObject({ height: 32, width: 46 })
  })

  test('has the sound of another film, as it is, and one that has none is as good', async () => {
    const source = await clip(
      'sound.mp4',
      '-f lavfi -i testsrc=s=64x48:r=10:d=3 -f lavfi -i sine=d=3 -c:v libx264 -pix_fmt yuv420p -c:a aac',
    )
    const silent = await clip(
      'silent.mp4',
      '-f lavfi -i testsrc=s=64x48:r=10:d=1 -c:v libx264 -pix_fmt yuv420p',
    )
    await writeVideo(place('with.mp4'), greys([0, 1, 2]), { soundOf: source })
    await writeVideo(place('without.mp4'), greys([0, 1, 2]), { soundOf: silent })
    const packets = (path: string) =>
      execFileSync(
        ffmpegPath ?? '',
        ['-v', 'error', '-i', path, '-map', '0:a', '-c', 'copy', '-f', 'md5', '-'],
        { encoding: 'utf8' },
      )
    expect(packets(place('with.mp4'))).toBe(packets(source))
    expect(await describeVideo(place('without.mp4'))).toMatchObject({ hasSound: false })
  })

  test('is refused by name where it cannot be, and leaves nothing half written', async () => {
    const flac = await clip(
      'pcm.mkv',
      '-f lavfi -i testsrc=s=64x48:r=10:d=1 -f lavfi -i sine=d=1 -c:v mpeg4 -c:a pcm_s16le',
    )
    const refused = (name: string, options = {}) =>
      writeVideo(place(name), greys([0, 1]), options).catch((error: unknown) => error)
    expect(await refused('film.webm')).toMatchObject({
      code: 'not-writable',
      message: expect.stringContaining('.mkv'),
    })
    expect(await refused('none/film.mp4')).toMatchObject({ code: 'not-writable' })
    expect(await refused('pcm.mov', { soundOf: flac })).toMatchObject({ frames: 2 })
    writeFileSync(place('kept.mp4'), 'an earlier film')
    const failing = async function* (): AsyncGenerator<TimedPicture> {
      yield* greys([0, 1])
      throw new Error('the engine is gone')
    }
    await expect(writeVideo(place('kept.mp4'), failing())).rejects.toThrow('the engine is gone')
    await expect(
      writeVideo(place('new.mp4'), greys([0]), { signal: AbortSignal.timeout(0) }),
    ).rejects.toThrow()
    await expect(writeVideo(place('empty.mp4'), greys([]))).rejects.toMatchObject({ code: 'not-writable' })
    expect(existsSync(place('new.mp4'))).toBe(false)
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})

describe.skipIf(ffmpegPath === null)('colours of a film', () => {
  test('are found on frames spread over all of it, as many as are asked for at most', async () => {
    const path = await clip('spread.mkv', '-f lavfi -i testsrc=s=64x48:r=10:d=20 -c:v ffv1')
    const video = await openVideo(path)
    const seconds = (await spreadFrames(video, 8, {})).map((frame) => frame.seconds)
    expect(seconds).toEqual([0, 2.5, 5, 7.5, 10, 12.5, 15, 17.5])
    const untold = { ...video, description: { ...video.description, seconds: null } }
    const found = (await spreadFrames(untold, 8, {})).map((frame) => frame.seconds)
    expect(found.length).toBeGreaterThan(4)
    expect(found.length).toBeLessThanOrEqual(8)
    expect(found.at(-1)).toBeGreaterThan(15)
  })

  test('stay exactly the same where a frame does, whatever is in between and behind', async () => {
    const path = await clip(
      'still.mkv',
      '-f lavfi -i testsrc=s=84x56:r=1:d=1[a];testsrc2=s=84x56:r=1:d=4[b];testsrc=s=84x56:r=1:d=1[c];[a][b][c]concat=n=3 -c:v ffv1',
    )
    await using encoder = await loadEncoder(MINI, { engine: 'wasm', size: 28 })
    const video = await openVideo(path)
    const photos = new PhotoEncoder(encoder, {
      decode: (source) => decodeImage(source),
      reduce: async (photo) => photo,
    })
    const frames = []
    for await (const frame of encodedFrames(video, photos, {})) frames.push(frame)
    expect(frames.map(({ seconds }) => seconds)).toEqual([0, 1, 2, 3, 4, 5])
    const colors = await fitPatchColors(frames.map(({ features }) => features))
    const [first, second, , , , last] = frames.map(({ features }) => colorPatches(features, colors).data)
    expect(last).toEqual(first)
    expect(second).not.toEqual(first)
  })
})
