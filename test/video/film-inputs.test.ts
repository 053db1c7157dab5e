/** Films among the inputs of commands: rows with times, gone on with after an interruption, told apart from what was taken otherwise. */
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { folderWith, runInTest } from '../cli/run-in-test.js'
import { clip, ffmpegPath } from '../support/clips.js'
import { MINI } from '../support/mini.js'

interface Row {
  readonly path: string
  readonly identity: string
  readonly embedding: readonly number[]
}

const rowsIn = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
const names = (text: string) => rowsIn(text).map(({ path }) => path)

describe.skipIf(ffmpegPath === null)('a film among the inputs', () => {
  let film = ''
  beforeAll(async () => {
    film = await clip('inputs.mp4', '-f lavfi -i testsrc=s=64x48:r=4:d=3 -c:v libx264 -pix_fmt yuv420p')
  })

  async function folderWithFilm() {
    const folder = folderWith(['photo.jpg'])
    await copyFile(film, join(folder.path, 'clip.mp4'))
    return folder
  }

  test('has a row for each frame, one a second unless another time is given', async () => {
    using folder = await folderWithFilm()
    const cwd = folder.path
    const { code, stdout, stderr } = await runInTest(['embed', 'clip.mp4', 'photo.jpg'], { cwd })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(names(stdout)).toEqual(['clip.mp4#t=0.000', 'clip.mp4#t=1.000', 'clip.mp4#t=2.000', 'photo.jpg'])
    const half = await runInTest(['embed', 'clip.mp4', '--every', '500ms', '--from', '1', '--to', '0:02'], {
      cwd,
    })
    expect(names(half.stdout)).toEqual(['clip.mp4#t=1.000', 'clip.mp4#t=1.500'])
    const all = await runInTest(['embed', 'clip.mp4', '--every', 'all'], { cwd })
    expect(names(all.stdout)).toHaveLength(12)
  })

  test('is part of the identity, with the version of ffmpeg; photos alone are not', async () => {
    using folder = await folderWithFilm()
    const cwd = folder.path
    const plain = await runInTest(['embed', 'photo.jpg'], { cwd })
    const frames = await runInTest(['embed', 'clip.mp4', '-o', 'out.jsonl'], { cwd })
    expect(frames.code).toBe(0)
    const [row] = rowsIn(readFileSync(join(cwd, 'out.jsonl'), 'utf8'))
    expect(row?.identity).not.toBe(rowsIn(plain.stdout)[0]?.identity)
    const meta = JSON.parse(readFileSync(join(cwd, 'out.jsonl.meta.json'), 'utf8'))
    expect(JSON.parse(meta.identity.settings)).toMatchObject({
      frames: { ffmpeg: expect.any(String), scaler: expect.stringContaining('bicubic') },
    })
    expect(meta.identity.output).toBe('embedding, frames every 1 s')
  })

  test('is finished when it is, added to by other inputs, and not mixed with other times', async () => {
    using folder = await folderWithFilm()
    const cwd = folder.path
    const command = ['embed', 'clip.mp4', '-o', 'out.jsonl', '--json']
    await runInTest(command, { cwd })
    const again = await runInTest(command, { cwd })
    expect(again.stderr).toContain('"unchanged":true')
    expect(again.stderr).toContain('"written":3')
    const more = await runInTest([...command, 'photo.jpg'], { cwd })
    expect(more.stderr).toContain('"computed":1')
    expect(names(readFileSync(join(cwd, 'out.jsonl'), 'utf8'))).toHaveLength(4)
    const other = await runInTest([...command, 'photo.jpg', '--every', '2s'], { cwd })
    expect(other).toMatchObject({ code: 2, stderr: expect.stringMatching(/every 1 s.*every 2 s/) })
  })

  test('goes on where it was interrupted, and computes no frame twice', async () => {
    using folder = await folderWithFilm()
    const cwd = folder.path
    const log = join(cwd, 'log')
    const controller = new AbortController()
    const command = ['embed', 'clip.mp4', '--every', 'all', '-o', 'out.npy']
    const stopped = runInTest(command, { cwd, encoder: { delayMs: 40, log }, signal: controller.signal })
    while (!existsSync(log) || readFileSync(log, 'utf8').split('\n').length < 4) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    controller.abort(new Error('SIGINT'))
    expect(await stopped).toMatchObject({ code: 130, stderr: expect.stringContaining('kept') })
    const before = readFileSync(log, 'utf8').split('\n').length - 1
    const rest = await runInTest([...command, '--json'], { cwd, encoder: { log } })
    expect(rest.code).toBe(0)
    expect(readFileSync(log, 'utf8').split('\n').length - 1).toBeLessThanOrEqual(13)
    expect(rest.stderr).toMatch(new RegExp(`"earlier":(${before}|${before - 1})`))
    const whole = await runInTest([...command.slice(0, -1), 'whole.npy'], { cwd })
    expect(whole.code).toBe(0)
    expect(readFileSync(join(cwd, 'out.npy')).equals(readFileSync(join(cwd, 'whole.npy')))).toBe(true)
  })

  test('is entered at the last frame that is there, and what follows is as if it had been read from its start', async () => {
    const long = await clip(
      'inputs-long.mp4',
      '-f lavfi -i testsrc=s=64x48:r=10:d=40 -c:v libx264 -x264-params open-gop=1:keyint=25:bframes=3 -pix_fmt yuv420p',
    )
    using folder = folderWith([])
    const cwd = folder.path
    await copyFile(long, join(cwd, 'long.mp4'))
    const [log, calls] = [join(cwd, 'log'), join(cwd, 'calls')]
    const spy = join(cwd, 'ffmpeg')
    writeFileSync(spy, `#!/bin/sh\necho "$@" >> ${calls}\nexec ${ffmpegPath} "$@"\n`, { mode: 0o755 })
    vi.stubEnv('PLUMAGE_FFMPEG', spy)
    onTestFinished(() => void vi.unstubAllEnvs())
    for (const [command, output] of [
      ['embed', 'part.npy'],
      ['features', 'part'],
    ] as const) {
      writeFileSync(log, '')
      const args = [command, 'long.mp4', '--every', '500ms', '-o']
      const controller = new AbortController()
      const stopped = runInTest([...args, output], {
        cwd,
        encoder: { delayMs: 5, log },
        signal: controller.signal,
      })
      while (readFileSync(log, 'utf8').split('\n').length < 60)
        await new Promise((resolve) => setTimeout(resolve, 5))
      controller.abort(new Error('SIGINT'))
      expect(await stopped).toMatchObject({ code: 130 })
      writeFileSync(calls, '')
      const rest = await runInTest([...args, output, '--json'], { cwd })
      expect(rest).toMatchObject({ code: 0 })
      const [, earlierText] = [...rest.stderr.matchAll(/"earlier":(\d+)/g)].at(-1) ?? []
      const earlier = Number(earlierText)
      expect(earlier).toBeGreaterThan(55)
      // Ten seconds are decoded before the frame that is entered at.
      const seek = Number(/-ss (\d+)us/.exec(readFileSync(calls, 'utf8'))?.[1])
      expect(seek, command).toBe((earlier - 1) * 500_000 - 10_000_000)
      expect((await runInTest([...args, `whole-${output}`], { cwd })).code).toBe(0)
    }
    const [part, whole] = ['part.npy', 'whole-part.npy'].map((name) => readFileSync(join(cwd, name)))
    expect(part?.equals(whole ?? Buffer.of())).toBe(true)
    const files = readdirSync(join(cwd, 'whole-part')).filter((name) => name.endsWith('.npy'))
    expect(files).toHaveLength(80)
    for (const name of files)
      expect(
        readFileSync(join(cwd, 'part', name)).equals(readFileSync(join(cwd, 'whole-part', name))),
        name,
      ).toBe(true)
  })

  test('is done from its start again where an earlier frame is missing', async () => {
    using folder = await folderWithFilm()
    const cwd = folder.path
    const log = join(cwd, 'log')
    const command = ['features', 'clip.mp4', '--every', 'all', '-o', 'maps']
    await runInTest(command, { cwd })
    rmSync(join(cwd, 'maps/clip.mp4#t=1.250.npy'))
    expect(await runInTest(command, { cwd, encoder: { log } })).toMatchObject({ code: 0 })
    expect(readFileSync(log, 'utf8')).toBe('pixels\n')
    expect(existsSync(join(cwd, 'maps/clip.mp4#t=1.250.npy'))).toBe(true)
  })

  test('in a folder or a list is left out in words, unless --films takes it', async () => {
    using folder = await folderWithFilm()
    const cwd = folder.path
    const left = 'left out: 1 film. Films of folders and lists are taken with --films'
    const without = await runInTest(['embed', '.'], { cwd })
    expect(without).toMatchObject({ code: 0, stderr: expect.stringContaining(left) })
    expect(names(without.stdout)).toEqual(['./photo.jpg'])
    const frames = ['clip.mp4#t=0.000', 'clip.mp4#t=2.000']
    const taken = await runInTest(['embed', '.', '--films', '--every', '2s'], { cwd })
    expect(taken).toMatchObject({ code: 0, stderr: '' })
    expect(names(taken.stdout)).toEqual([...frames, 'photo.jpg'].map((name) => `./${name}`))
    const input = 'photo.jpg\nclip.mp4\n'
    const list = await runInTest(['embed', '-'], { cwd, input })
    expect(list).toMatchObject({ code: 0, stderr: expect.stringContaining(left) })
    expect(names(list.stdout)).toEqual(['photo.jpg'])
    const listed = await runInTest(['embed', '-', '--films', '--every', '2s'], { cwd, input })
    expect(names(listed.stdout)).toEqual(['photo.jpg', ...frames])
    // Rows are of one identity, whichever of them is known first.
    const identities = [taken, listed].flatMap(({ stdout }) => rowsIn(stdout).map(({ identity }) => identity))
    expect(new Set(identities).size).toBe(1)
    expect(await runInTest(['embed', '-', '--every', '2s'], { cwd, input })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--films'),
    })
    expect(await runInTest(['report', '.', '-o', 'r.html'], { cwd })).toMatchObject({
      stderr: expect.stringContaining('left out: 1 film. Films are not taken here.'),
    })
  })

  test('has classes of each frame, on stdout and in a file', async () => {
    using folder = await folderWithFilm()
    const cwd = folder.path
    const encoder = { labels: ['cat', 'dog'] }
    const command = ['classify', '.', '--films', '--every', '2s', '-k', '1']
    const { code, stdout } = await runInTest([...command, '--format', 'jsonl'], { cwd, encoder })
    expect(code).toBe(0)
    expect(names(stdout)).toEqual(['./clip.mp4#t=0.000', './clip.mp4#t=2.000', './photo.jpg'])
    expect(await runInTest([...command, '-o', 'out.jsonl'], { cwd, encoder })).toMatchObject({ code: 0 })
    expect(readFileSync(join(cwd, 'out.jsonl'), 'utf8')).toBe(stdout)
    const meta = JSON.parse(readFileSync(join(cwd, 'out.jsonl.meta.json'), 'utf8'))
    expect(meta.identity.output).toBe('the 1 likeliest classes, frames every 2 s')
  })

  test('keeps its rows when it cannot be read this time, and gives them up when it has become another film', async () => {
    using folder = await folderWithFilm()
    const cwd = folder.path
    const command = ['embed', 'clip.mp4', 'photo.jpg', '-o', 'out.jsonl']
    await runInTest(command, { cwd })
    rmSync(join(cwd, 'clip.mp4'))
    writeFileSync(join(cwd, 'photo.jpg'), 'another photo')
    expect(await runInTest(command, { cwd })).toMatchObject({ code: 1 })
    expect(names(readFileSync(join(cwd, 'out.jsonl'), 'utf8'))).toHaveLength(4)
    const short = await clip(
      'short.mp4',
      '-f lavfi -i testsrc=s=64x48:r=4:d=1.5 -c:v libx264 -pix_fmt yuv420p',
    )
    await copyFile(short, join(cwd, 'clip.mp4'))
    utimesSync(join(cwd, 'clip.mp4'), 1, 1)
    expect(await runInTest(command, { cwd })).toMatchObject({ code: 0 })
    expect(names(readFileSync(join(cwd, 'out.jsonl'), 'utf8'))).toEqual([
      'clip.mp4#t=0.000',
      'clip.mp4#t=1.000',
      'photo.jpg',
    ])
  })

  test('falls to one shard with all its frames, and shards without a film are joined to it', async () => {
    using folder = await folderWithFilm()
    const cwd = folder.path
    const words = ['clip.mp4', 'photo.jpg', '--every', '1s', '-o']
    const shards = [0, 1, 2, 3, 4, 5].map((index) => `part-${index}.csv`)
    for (const [index, output] of shards.entries())
      expect(await runInTest(['embed', ...words, output, '--shard', `${index}/6`], { cwd })).toMatchObject({
        code: 0,
      })
    const { stdout } = await runInTest(['merge', ...shards, '-o', 'all.csv'], { cwd })
    expect(stdout).toMatch(/^all\.csv has 4 rows of 6 shards, of 2 inputs;/)
    await runInTest(['embed', ...words, 'whole.csv'], { cwd })
    expect(readFileSync(join(cwd, 'all.csv'), 'utf8')).toBe(readFileSync(join(cwd, 'whole.csv'), 'utf8'))
  })

  test('that is none, is a list of others, or has nothing at that time fails by itself; the others go on', async () => {
    using folder = await folderWithFilm()
    const cwd = folder.path
    writeFileSync(join(cwd, 'text.mp4'), 'text')
    writeFileSync(join(cwd, 'list.m3u8'), '#EXTM3U\nclip.mp4\n')
    const { code, stdout, stderr } = await runInTest(
      ['embed', 'text.mp4', 'list.m3u8', 'gone.mp4', 'clip.mp4', 'photo.jpg'],
      { cwd },
    )
    expect(code).toBe(1)
    expect(names(stdout)).toHaveLength(4)
    expect(stderr).toMatch(/failed text\.mp4: text\.mp4 is no film: expected MP4/)
    expect(stderr).toMatch(/failed list\.m3u8: list\.m3u8 is a list of other files/)
    expect(stderr).toMatch(/failed gone\.mp4: there is no such file/)
    const late = await runInTest(['embed', 'clip.mp4', '--from', '1h'], { cwd })
    expect(late).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no frame within that time: it lasts 3 s'),
    })
  })

  test('is asked for where its options are given, and these are times', async () => {
    using folder = await folderWithFilm()
    const cwd = folder.path
    expect(await runInTest(['embed', 'photo.jpg', '--every', '1s'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('none of the inputs is one'),
    })
    for (const every of ['0', '-1s', 'soon', '1x']) {
      expect(await runInTest(['embed', 'clip.mp4', `--every=${every}`], { cwd }), every).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('found'),
      })
    }
  })

  test('has a file of features for each frame', async () => {
    using folder = await folderWithFilm()
    const cwd = folder.path
    const { code } = await runInTest(['features', 'clip.mp4', '-o', 'maps'], { cwd })
    expect(code).toBe(0)
    for (const time of ['0.000', '1.000', '2.000'])
      expect(existsSync(join(cwd, `maps/clip.mp4#t=${time}.npy`)), time).toBe(true)
  })

  test('has a picture of each frame, of every kind that takes photos one by one', async () => {
    using folder = await folderWithFilm()
    const cwd = folder.path
    const run = (kind: string, ...args: readonly string[]) =>
      runInTest(['picture', kind, 'clip.mp4', ...args, '-m', MINI, '--engine', 'native', '--patches', '12'], {
        cwd,
        loadEncoder,
      })
    for (const [kind, ...args] of [
      ['similar', '--point', '50%,50%', '--from', '1s'],
      ['attention', '--from', 'registers'],
      ['norms', '--from', '1s'],
    ] as const) {
      const { code, stderr } = await run(kind, ...args, '--every', '500ms', '--to', '2s', '-o', kind)
      expect({ code, stderr }, kind).toEqual({ code: 0, stderr: '' })
      const times = readdirSync(join(cwd, kind)).sort()
      expect(times.slice(-2), kind).toEqual(['clip.mp4#t=1.000.png', 'clip.mp4#t=1.500.png'])
      expect(times, kind).toHaveLength(kind === 'attention' ? 4 : 2)
    }
    expect(await run('match', 'photo.jpg', '-o', 'x.png')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('clip.mp4 is a film: save the frames'),
    })
  })

  test('has scenes, as lines', async () => {
    using folder = await folderWithFilm()
    const cwd = folder.path
    const { code, stdout } = await runInTest(['embed', 'clip.mp4', '--scenes', '--scene-threshold', '2'], {
      cwd,
    })
    expect(code).toBe(0)
    expect(rowsIn(stdout)).toMatchObject([
      {
        path: 'clip.mp4#t=0.000',
        from: 0,
        to: null,
        frames: 3,
        distance: null,
        keyFrame: expect.stringMatching(/^clip\.mp4#t=/),
      },
    ])
    const each = await runInTest(
      ['embed', 'clip.mp4', '--scenes', '--scene-threshold', '0', '-o', 'scenes.jsonl'],
      { cwd },
    )
    expect(each.code).toBe(0)
    expect(names(readFileSync(join(cwd, 'scenes.jsonl'), 'utf8'))).toEqual([
      'clip.mp4#t=0.000,1.000',
      'clip.mp4#t=1.000,2.000',
      'clip.mp4#t=2.000',
    ])
    expect(await runInTest(['embed', 'photo.jpg', '--scenes'], { cwd })).toMatchObject({ code: 2 })
    expect(await runInTest(['embed', 'clip.mp4', '--key-frames', 'x'], { cwd })).toMatchObject({ code: 2 })
  })
})
