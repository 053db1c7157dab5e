/** No ffmpeg is left behind, however the reader of a film ends, and a film waits for its reader. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { videoFrames } from '../../src/platform/node/video/video-frames.js'
import { clip, ffmpegPath } from '../support/clips.js'
import { packageRoot } from '../support/repository.js'

const HAS_PROC = existsSync('/proc/self/stat')
const film = () =>
  clip(
    'endless.mp4',
    '-f lavfi -i testsrc=s=320x240:r=25:d=60 -c:v libx264 -preset ultrafast -pix_fmt yuv420p',
  )

/** Counts the processes that have this text in their command line. */
function processesWith(text: string): number {
  let count = 0
  for (const id of readdirSync('/proc')) {
    if (!/^\d+$/.test(id)) continue
    try {
      if (readFileSync(join('/proc', id, 'cmdline'), 'latin1').includes(`file:${text}`)) count++
    } catch {
      // It has ended meanwhile.
    }
  }
  return count
}

async function untilGone(text: string): Promise<number> {
  for (let i = 0; i < 50 && processesWith(text) > 0; i++) await sleep(100)
  return processesWith(text)
}

describe.skipIf(ffmpegPath === null || !HAS_PROC)('the ffmpeg that reads a film', () => {
  test('is gone when the reader has left the loop', async () => {
    const path = await film()
    for await (const { pts } of videoFrames(path)) {
      expect(processesWith(path)).toBe(1)
      if (pts > 0) break
    }
    expect(processesWith(path)).toBe(0)
  })

  test('is gone when the signal has aborted, and the next frame is its reason', async () => {
    const path = await film()
    const controller = new AbortController()
    const frames = videoFrames(path, { signal: controller.signal })
    await frames.next()
    controller.abort(new Error('enough'))
    await expect(frames.next()).rejects.toThrow('enough')
    expect(await untilGone(path)).toBe(0)
    await expect(
      videoFrames(path, { signal: AbortSignal.abort(new Error('before')) }).next(),
    ).rejects.toThrow('before')
  })

  test('waits for its reader, in little memory', async () => {
    const path = await film()
    const frames = videoFrames(path)
    await frames.next()
    await sleep(500)
    const [before] = [rss()]
    await sleep(500)
    expect(rss() - before).toBeLessThan(8 * 2 ** 20)
    expect(processesWith(path)).toBe(1)
    await frames.return()
    expect(processesWith(path)).toBe(0)
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGKILL', 'exit', 'throw'])(
    'is gone when its program ends by %s',
    async (way) => {
      const path = await film()
      const child = reader(path, way)
      await once(child.stdout ?? child, 'data', { signal: AbortSignal.timeout(30_000) })
      expect(processesWith(path)).toBe(1)
      if (way.startsWith('SIG')) child.kill(way as NodeJS.Signals)
      else child.stdin?.write('end')
      await once(child, 'exit')
      expect(await untilGone(path)).toBe(0)
    },
  )
})

function rss(): number {
  return process.memoryUsage().rss
}

/** Starts a program that reads a film slowly and ends in a way of its own. */
function reader(path: string, way: string): ChildProcess {
  const library = pathToFileURL(join(packageRoot, 'dist/bundle/node/node.js')).href
  const ends = way === 'exit' ? 'process.exit(3)' : "throw new Error('thrown')"
  const text = `
    import { videoFrames } from ${JSON.stringify(library)}
    process.stdin.on('data', () => { ${ends} })
    for await (const frame of videoFrames(${JSON.stringify(path)})) {
      console.log(frame.pts)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }`
  return spawn(process.execPath, ['--input-type=module', '-e', text], { stdio: ['pipe', 'pipe', 'ignore'] })
}
