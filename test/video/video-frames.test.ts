/** Reads real films with a real ffmpeg: which frames come, when they are shown, how they lie, and what is refused. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import type { PixelImage } from '../../src/image/given-pixels.js'
import { describeVideo } from '../../src/platform/node/video/describe-video.js'
import { type FilmFrameOptions, filmFrames } from '../../src/platform/node/video/film-frames.js'
import {
  type VideoFrame,
  type VideoFrameOptions,
  videoFrames,
} from '../../src/platform/node/video/video-frames.js'
import { clip, crashesOn, ffmpeg, ffmpegPath, hasEncoder, type Turn, turnedClip } from '../support/clips.js'
import { ownFolder } from '../support/made-once.js'

const SOURCE = '-f lavfi -i testsrc=s=64x48:r=10:d=3'
const X264 = '-c:v libx264 -g 10 -bf 2 -pix_fmt yuv420p'
/** A grey of each frame says which one it is: frame n has the level 10 + 2n. */
const COUNTED = "-f lavfi -i color=black:s=64x48:r=10:d=10,format=gray,geq=lum='10+2*N',format=rgb24"

const folder = ownFolder('video')
const place = (name: string) => join(folder, name)

async function framesOf(path: string, options: VideoFrameOptions = {}): Promise<readonly VideoFrame[]> {
  const frames: VideoFrame[] = []
  for await (const frame of videoFrames(path, options)) frames.push(frame)
  return frames
}

const secondsOf = (frames: readonly VideoFrame[]) => frames.map(({ seconds }) => seconds)
const levelsOf = (frames: readonly VideoFrame[]) => frames.map(({ data }) => data[0])

async function refusal(
  path: string,
  options: VideoFrameOptions = {},
): Promise<{ code: string; message: string }> {
  try {
    await framesOf(path, options)
  } catch (error) {
    return error as { code: string; message: string }
  }
  throw new Error(`${path} was read`)
}

/** Gives the mean colour of a corner, which is a quarter of each side. */
function corner({ height, width, data }: VideoFrame, bottom: boolean, right: boolean): readonly number[] {
  const sums = [0, 0, 0]
  const [h, w] = [height >> 2, width >> 2]
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const at = 3 * ((bottom ? height - h + y : y) * width + (right ? width - w + x : x))
      for (let c = 0; c < 3; c++) sums[c] = (sums[c] ?? 0) + (data[at + c] ?? 0) / (h * w)
    }
  }
  return sums
}

describe.skipIf(ffmpegPath === null)('frames of a film', () => {
  let plain = ''
  let counted = ''
  beforeAll(async () => {
    plain = await clip('plain.mp4', `${SOURCE} -f lavfi -i sine=d=3 ${X264} -c:a aac`)
    counted = await clip('counted.mkv', `${COUNTED} -c:v ffv1`)
  })

  test('all come, in order, with the time that the file has for each, exactly', async () => {
    const frames = await framesOf(counted)
    expect(frames).toHaveLength(100)
    expect(levelsOf(frames)).toEqual(Array.from({ length: 100 }, (_, n) => 10 + 2 * n))
    expect(secondsOf(frames)).toEqual(Array.from({ length: 100 }, (_, n) => n / 10))
    expect(frames[7]).toMatchObject({ pts: 700, timeBase: [1, 1000], height: 48, width: 64 })
  })

  test('every takes the first of each stretch, without a sum of tenths going astray', async () => {
    const tenths = await framesOf(counted, { every: 0.1 })
    expect(tenths).toHaveLength(100)
    expect(secondsOf(await framesOf(counted, { every: 0.3, to: 2 }))).toEqual([
      0, 0.3, 0.6, 0.9, 1.2, 1.5, 1.8,
    ])
    expect(secondsOf(await framesOf(counted, { every: 2.5 }))).toEqual([0, 2.5, 5, 7.5])
    expect(secondsOf(await framesOf(counted, { every: 1, from: 7.25 }))).toEqual([7.3, 8.3, 9.3])
    expect(await framesOf(counted, { from: 60 })).toEqual([])
  })

  test('a frame is the same however the film was entered: behind a seek, too', async () => {
    const long = '-f lavfi -i testsrc=s=64x48:r=10:d=40'
    const open = await clip(
      'open-gop.mp4',
      `${long} -c:v libx264 -x264-params open-gop=1:keyint=25:bframes=3 -pix_fmt yuv420p`,
    )
    const web = await clip('long.mkv', `${long} -c:v mpeg4 -g 50 -bf 2`)
    for (const path of [open, web]) {
      const all = await framesOf(path, { every: 0.5 })
      const late = await framesOf(path, { every: 0.5, from: 25 })
      expect(late.length, path).toBe(30)
      expect(late, path).toEqual(all.slice(50))
    }
  })

  test.each([
    ['mp4', '-c:v libx264 -x264-params open-gop=1:keyint=25:bframes=3 -pix_fmt yuv420p'],
    ['mkv', '-c:v mpeg4 -g 50 -bf 2'],
    ['avi', '-c:v mpeg4 -g 50'],
    ['webm', '-c:v libvpx -r 30000/1001'],
  ])('a film of kind %s that is entered at a frame goes on as from its start', async (ending, codec) => {
    const path = await clip(`entered.${ending}`, `-f lavfi -i testsrc=s=64x48:r=10:d=12 ${codec}`)
    const read = async (options: Partial<FilmFrameOptions>) => {
      const found: { readonly time: string; readonly image: PixelImage }[] = []
      for await (const frame of filmFrames(path, { label: path, ...options })) found.push(frame)
      return found
    }
    for (const every of [undefined, 0.7]) {
      const options = every === undefined ? {} : { every }
      const all = await read(options)
      for (const at of [0, 1, all.length - 2]) {
        const after = all[at]?.time
        expect(await read({ ...options, after }), `${every} ${after}`).toEqual(all.slice(at))
      }
      // A frame that is not there is no place to go on from.
      expect(await read({ ...options, after: '7.017' })).toEqual(all)
    }
  })

  test.each(['ts', 'avi', 'flv', 'mpg', 'mov', 'ogv', 'wmv'])(
    'times begin at 0 in a film of kind %s',
    async (ending) => {
      const codec: Readonly<Record<string, string>> = {
        ts: X264,
        flv: X264,
        mov: X264,
        avi: '-c:v mpeg4',
        mpg: '-r 25 -c:v mpeg2video',
        ogv: '-c:v libtheora',
        wmv: '-c:v wmv2',
      }
      const path = await clip(`kind.${ending}`, `${SOURCE} ${codec[ending]}`)
      if (crashesOn(path)) {
        expect(await refusal(path)).toMatchObject({
          code: 'unfit-ffmpeg',
          message: expect.stringContaining('crashed'),
        })
        return
      }
      const seconds = secondsOf(await framesOf(path, { every: 1 }))
      const expected = [0, 1, 2].map((n) => expect.closeTo(n, 1))
      expect(seconds).toEqual(expected)
    },
  )

  test('a variable rate is kept: each frame has its own time, and none is taken twice', async () => {
    const path = await clip('variable.mp4', `${SOURCE} -vf select=lt(n\\,5)+gt(n\\,20) -vsync vfr ${X264}`)
    const all = secondsOf(await framesOf(path))
    expect(all).toHaveLength(14)
    expect(all.slice(3, 7)).toEqual([0.3, 0.4, 2.1, 2.2])
    expect(secondsOf(await framesOf(path, { every: 0.5 }))).toEqual([0, 2.1, 2.5])
  })

  test('a film that is to be turned or mirrored is upright', async () => {
    // Red stands at the top left, green beside it, blue below.
    const flag =
      '-f lavfi -i color=red:s=32x24:r=5:d=1[a];color=lime:s=32x24:r=5:d=1[b];color=blue:s=32x24:r=5:d=1[c];color=white:s=32x24:r=5:d=1[d];[a][b]hstack[e];[c][d]hstack[f];[e][f]vstack'
    const source = await clip('flag.mp4', `${flag} ${X264}`)
    const turns: Readonly<Record<string, readonly [Turn, string, string]>> = {
      'as it is': [[1, 0, 0, 1], 'red lime blue white', '48x64'],
      clockwise: [[0, 1, -1, 0], 'blue red white lime', '64x48'],
      half: [[-1, 0, 0, -1], 'white blue lime red', '48x64'],
      'the other way': [[0, -1, 1, 0], 'lime white red blue', '64x48'],
      mirrored: [[-1, 0, 0, 1], 'lime red white blue', '48x64'],
      'upside down in a mirror': [[1, 0, 0, -1], 'blue white red lime', '48x64'],
      'mirrored and turned': [[0, 1, 1, 0], 'red blue lime white', '64x48'],
    }
    for (const [name, [turn, colours, size]] of Object.entries(turns)) {
      const path = await turnedClip(source, place('turned.mp4'), turn)
      const [frame] = await framesOf(path, { every: 10 })
      if (frame === undefined) throw new Error('there is no frame')
      const found = [
        [false, false],
        [false, true],
        [true, false],
        [true, true],
      ].map(([bottom = false, right = false]) => nearest(corner(frame, bottom, right)))
      expect([found.join(' '), `${frame.height}x${frame.width}`], name).toEqual([colours, size])
    }
    const odd = await turnedClip(source, place('odd.mp4'), [0.866, 0.5, -0.5, 0.866])
    expect(await refusal(odd)).toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(/turned by -?30/),
    })
  })

  test('pixels that are not square become so', async () => {
    const path = await clip('narrow.mp4', `${SOURCE} -vf setsar=2 ${X264}`)
    expect(await framesOf(path, { every: 9 })).toMatchObject([{ height: 48, width: 128 }])
    expect(await describeVideo(path)).toMatchObject({ height: 48, width: 128 })
  })

  test('an interlaced film is taken as it lies, and says so', async () => {
    const path = await clip(
      'woven.mkv',
      '-f lavfi -i testsrc=s=64x64:r=50:d=1 -vf tinterlace=interleave_top,setfield=tff -c:v mpeg2video -flags +ildct+ilme -top 1',
    )
    expect(await describeVideo(path)).toMatchObject({ isInterlaced: true })
    const warnings: string[] = []
    await framesOf(path, { every: 9, onWarning: (message) => warnings.push(message) })
    expect(warnings).toEqual([expect.stringContaining('is interlaced')])
  })

  test('size scales the shorter side, or to both', async () => {
    expect(await framesOf(plain, { every: 9, size: 24 })).toMatchObject([{ height: 24, width: 32 }])
    expect(await framesOf(plain, { every: 9, size: [20, 10] })).toMatchObject([{ height: 20, width: 10 }])
  })

  test('levels are those that ffmpeg itself writes into a picture', async () => {
    const [frame] = await framesOf(plain, { from: 1.5, every: 9 })
    const flags = 'bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact'
    const args = [
      '-v',
      'error',
      '-ss',
      '1.5',
      '-i',
      plain,
      '-frames:v',
      '1',
      '-vf',
      `scale=64:48:flags=${flags}`,
    ]
    const raw = execFileSync(ffmpegPath ?? '', [...args, '-pix_fmt', 'rgb24', '-f', 'rawvideo', '-'])
    expect(Buffer.from(frame?.data ?? []).equals(raw)).toBe(true)
  })

  test('transparency is dropped, or laid on white, as stated: of QuickTime and of VP9', async () => {
    const red = '-f lavfi -i color=red@0.5:s=64x48:r=5:d=1,format=rgba'
    const paths = [await clip('alpha.mov', `${red} -c:v qtrle`)]
    if (hasEncoder('libvpx-vp9'))
      paths.push(await clip('alpha.webm', `${red} -c:v libvpx-vp9 -pix_fmt yuva420p`))
    for (const path of paths) {
      expect(await describeVideo(path), path).toMatchObject({ hasAlpha: true })
      const [stored] = await framesOf(path, { every: 9 })
      const [laid] = await framesOf(path, { every: 9, transparency: 'white' })
      const near = (levels: readonly number[]) => levels.map((level) => expect.closeTo(level, -0.9))
      expect([...(stored?.data.slice(0, 3) ?? [])], path).toEqual(near([254, 0, 0]))
      expect([...(laid?.data.slice(0, 3) ?? [])], path).toEqual(near([254, 127, 127]))
    }
  })

  test('what is brighter than a screen is refused by its name, and brought down in a way that is named', async () => {
    const tags = '-color_primaries bt2020 -colorspace bt2020nc'
    const pq = await clip('pq.mp4', `${SOURCE} ${X264} ${tags} -color_trc smpte2084`)
    const hlg = await clip('hlg.mkv', `${SOURCE} ${X264} ${tags} -color_trc arib-std-b67`)
    expect(await refusal(pq)).toMatchObject({ code: 'hdr', message: expect.stringMatching(/PQ.*--tone-map/) })
    expect(await refusal(hlg)).toMatchObject({ code: 'hdr', message: expect.stringContaining('HLG') })
    const [frame] = await framesOf(pq, { every: 9, toneMap: 'hable' })
    const [other] = await framesOf(pq, { every: 9, toneMap: 'clip' })
    expect(frame).toMatchObject({ height: 48, width: 64 })
    expect(frame?.data).not.toEqual(other?.data)
  })

  test('a film that breaks off gives what is there, and one warning', async () => {
    const whole = await clip('long.ts', `-f lavfi -i testsrc=s=64x48:r=10:d=10 ${X264}`)
    const bytes = readFileSync(whole)
    writeFileSync(place('cut.ts'), bytes.subarray(0, bytes.length * 0.6))
    const fast = await clip('fast.mp4', `-f lavfi -i testsrc=s=64x48:r=10:d=10 ${X264} -movflags +faststart`)
    const all = readFileSync(fast)
    writeFileSync(place('cut.mp4'), all.subarray(0, all.length * 0.6))
    const complete = await framesOf(fast)
    const path = place('cut.mp4')
    const warnings: string[] = []
    const frames = await framesOf(path, { onWarning: (message) => warnings.push(message) })
    expect(frames.length).toBeGreaterThan(30)
    expect(frames).toEqual(complete.slice(0, frames.length))
    expect(warnings).toEqual([expect.stringContaining(`is damaged: ${frames.length} frames of it were read`)])
    if (!crashesOn(whole)) {
      expect((await framesOf(place('cut.ts'), { onWarning: () => {} })).length).toBeGreaterThan(30)
    }
    const late = await clip('late.mp4', `${SOURCE} ${X264}`)
    writeFileSync(place('headless.mp4'), readFileSync(late).subarray(0, 3000))
    expect(await refusal(place('headless.mp4'))).toMatchObject({
      code: 'undecodable',
      message: expect.stringContaining('cut off'),
    })
  })

  test('lists of other files are refused, by their names and by what is in them', async () => {
    const hls = `#EXTM3U\n#EXTINF:1,\n${plain}\n#EXT-X-ENDLIST\n`
    const lists = {
      'a.m3u8': hls,
      'b.mp4': hls,
      'c.mp4': `ffconcat version 1.0\nfile ${plain}\n`,
      'd.mkv': `file '${plain}'\n`,
      'e.ffconcat': `ffconcat version 1.0\nfile ${plain}\n`,
      'f.mpd': '<?xml version="1.0"?><MPD></MPD>',
      'g.mp4': `\ufeff#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\nhttp://127.0.0.1:1/x\n`,
    }
    for (const [name, text] of Object.entries(lists)) {
      writeFileSync(place(name), text)
      expect(await refusal(place(name)), name).toMatchObject({ code: 'playlist' })
    }
    copyFileSync(plain, place('really.m3u8'))
    expect(await refusal(place('really.m3u8'))).toMatchObject({ code: 'playlist' })
  })

  test('a file is told by its content, and what is no film is named', async () => {
    copyFileSync(plain, place('film.jpg'))
    expect(await framesOf(place('film.jpg'), { every: 9 })).toHaveLength(1)
    writeFileSync(place('text.mp4'), 'this is text')
    writeFileSync(place('empty.mp4'), '')
    ffmpeg(`${SOURCE} -frames:v 1 ${place('photo.png')}`)
    ffmpeg(`-f lavfi -i sine=d=1 ${place('sound.m4a')}`)
    ffmpeg(`${SOURCE} ${X264} ${place('bare.h264')}`)
    expect(await refusal(place('text.mp4'))).toMatchObject({ code: 'not-a-video' })
    expect(await refusal(place('empty.mp4'))).toMatchObject({
      code: 'not-a-video',
      message: expect.stringContaining('is empty'),
    })
    expect(await refusal(place('photo.png'))).toMatchObject({
      code: 'not-a-video',
      message: expect.stringContaining('PNG'),
    })
    expect(await refusal(place('sound.m4a'))).toMatchObject({ code: 'no-frames' })
    expect(await refusal(place('bare.h264'))).toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('bare stream'),
    })
    expect(await refusal(folder)).toMatchObject({
      code: 'not-a-video',
      message: expect.stringContaining('a folder'),
    })
    expect(await refusal(place('nowhere.mp4'))).toMatchObject({ code: 'not-found' })
    expect(await refusal(plain, { maxPixels: 1000 })).toMatchObject({ code: 'too-large' })
  })

  test('names that mean something to ffmpeg or to a shell are names', async () => {
    for (const name of ['%03d.mp4', '-i.mp4', "a'b;c.mp4", 'pipe:0.mp4', 'concat:x|y.mp4']) {
      copyFileSync(plain, place(name))
      expect(await framesOf(place(name), { every: 9 }), name).toHaveLength(1)
    }
    symlinkSync(plain, place('link'))
    expect(await framesOf(place('link'), { every: 9 })).toHaveLength(1)
  })

  test('options that make no sense are refused before anything is started', () => {
    const wrong: readonly VideoFrameOptions[] = [
      { every: 0 },
      { every: Number.NaN },
      { from: -1 },
      { from: 2, to: 2 },
      { size: 0 },
      { size: [10, 1.5] },
      { toneMap: 'habel' as never },
      { evry: 1 } as never,
    ]
    for (const options of wrong)
      expect(() => videoFrames(plain, options), JSON.stringify(options)).toThrow(RangeError)
  })

  test('without ffmpeg it is said how to get one', async () => {
    const { PLUMAGE_FFMPEG } = process.env
    try {
      process.env.PLUMAGE_FFMPEG = '/nowhere/ffmpeg'
      expect(await refusal(plain)).toMatchObject({
        code: 'no-ffmpeg',
        message: expect.stringMatching(/apt install ffmpeg.*PLUMAGE_FFMPEG/),
      })
      process.env.PLUMAGE_FFMPEG = process.execPath
      expect(await refusal(plain)).toMatchObject({ code: 'no-ffmpeg' })
    } finally {
      process.env.PLUMAGE_FFMPEG = PLUMAGE_FFMPEG
    }
  })
})

function nearest([red = 0, green = 0, blue = 0]: readonly number[]): string {
  if (red > 128 && green > 128 && blue > 128) return 'white'
  return red > green && red > blue ? 'red' : green > blue ? 'lime' : 'blue'
}
