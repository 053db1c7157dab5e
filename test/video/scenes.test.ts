/** Scenes of films with cuts at known times, made by ffmpeg of photos, as a model sees them; bench/scenes.mjs has more of them. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findScenes } from '../../src/numerics/find-scenes.js'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { videoFrames } from '../../src/platform/node/video/video-frames.js'
import { clip, ffmpegPath } from '../support/clips.js'
import { MINI } from '../support/mini.js'
import { packageRoot } from '../support/repository.js'

const SHOT = 3
const PHOTOS = ['hat-1', 'shoes-1', 'pants-1', 't-shirt-1']
const photo = (name: string) => join(packageRoot, 'examples/photos', `${name}.jpg`)

/** Loops each photo for a shot, through these filters, and joins the shots. */
function film(filters: string, fade = 0): string {
  const inputs = PHOTOS.map((name) => `-loop 1 -framerate 10 -t ${SHOT} -i ${photo(name)}`)
  const shots = PHOTOS.map((_, i) => `[${i}:v]${filters},setsar=1,format=yuv420p,settb=1/10,setpts=N[s${i}]`)
  const last = PHOTOS.length - 1
  const joined =
    fade === 0
      ? [`${PHOTOS.map((_, i) => `[s${i}]`).join('')}concat=n=${PHOTOS.length}[out]`]
      : PHOTOS.slice(1).map(
          (_, i) =>
            `${i === 0 ? '[s0]' : `[f${i}]`}[s${i + 1}]xfade=duration=${fade}:offset=${(i + 1) * (SHOT - fade)}[${i + 1 === last ? 'out' : `f${i + 1}`}]`,
        )
  return `${inputs.join(' ')} -filter_complex ${[...shots, ...joined].join(';')} -map [out] -r 10 -c:v libx264 -pix_fmt yuv420p`
}

async function cutsOf(path: string): Promise<readonly number[]> {
  await using encoder = await loadEncoder(MINI, { size: 112 })
  const times: number[] = []
  const frames = async function* () {
    for await (const frame of videoFrames(path, { every: 0.5 })) {
      times.push(frame.seconds)
      yield frame
    }
  }
  const rows: number[] = []
  for await (const { features } of encoder.encodeAll(frames())) rows.push(...(features?.embedding ?? []))
  const scenes = findScenes(Float32Array.from(rows), encoder.embeddingWidth)
  return scenes.slice(1).map(({ first }) => times[first] ?? Number.NaN)
}

const SMALL = 'scale=224:160:force_original_aspect_ratio=increase,crop=224:160'

describe.skipIf(ffmpegPath === null)('scenes of photos', () => {
  test.each([
    ['hard', SMALL],
    ['in noise', `${SMALL},noise=alls=40:allf=t`],
    ['zooming', "scale=w='224*(1+0.1*t)':h=-1:eval=frame,crop=224:160"],
    ['flashing', `${SMALL},drawbox=t=fill:color=white:enable='between(t,1.5,1.65)'`],
  ])('cut %s are found where they are cut, and nowhere else', async (name, filters) => {
    expect(await cutsOf(await clip(`scenes-${name.replace(' ', '-')}.mp4`, film(filters)))).toEqual([3, 6, 9])
  })

  test('that fade into each other are as many scenes as there are photos', async () => {
    const cuts = await cutsOf(await clip('scenes-fades.mp4', film(SMALL, 1)))
    expect(cuts).toHaveLength(3)
    for (const [i, time] of cuts.entries()) {
      expect(time).toBeGreaterThanOrEqual((i + 1) * (SHOT - 1))
      expect(time).toBeLessThanOrEqual((i + 1) * (SHOT - 1) + 1.5)
    }
  })
})
