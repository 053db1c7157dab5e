import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { duration, Progress, type ProgressOptions } from '../../src/cli/progress.js'

function watch(options: Partial<ProgressOptions>) {
  const stream = new PassThrough()
  let now = 0
  const progress = new Progress({
    stream,
    isTTY: true,
    color: false,
    json: false,
    total: 10,
    now: () => now,
    ...options,
  })
  return {
    progress,
    pass(milliseconds: number) {
      now += milliseconds
    },
    text: () => String(stream.read() ?? ''),
  }
}

test('a terminal gets one line with count, rate and time left, wiped at the end', () => {
  const { progress, pass, text } = watch({})
  pass(500)
  progress.done()
  expect(text()).toContain('1 of 10  2 images/s  5 s left')
  progress[Symbol.dispose]()
  expect(text()).toBe('\r\u001b[2K')
})

test('the line is drawn at most ten times a second', () => {
  const { progress, pass, text } = watch({ total: 1000 })
  for (let i = 0; i < 1000; i++) {
    pass(1)
    progress.done()
  }
  expect(text().split('\r').length - 1).toBeLessThanOrEqual(10)
})

test('the rate counts only what this run computed: earlier work does not promise a speed', () => {
  const { progress, pass, text } = watch({})
  for (let i = 0; i < 5; i++) progress.done(true)
  text()
  pass(1000)
  progress.done()
  expect(text()).toContain('6 of 10  1 images/s  4 s left')
})

test('what failed stands on a line of its own, in red only where colours are wanted', () => {
  const plain = watch({})
  plain.progress.failed('a.jpg', 'broken\nimage')
  expect(plain.text()).toContain('failed a.jpg: broken image\n')
  const coloured = watch({ color: true })
  coloured.progress.failed('a.jpg', 'broken')
  expect(coloured.text()).toContain('\u001b[31mfailed\u001b[39m a.jpg')
})

test('the last word says how fast it went and what the time went by on', () => {
  const run = (json: boolean) => {
    const { progress, pass, text } = watch({ json })
    pass(2000)
    progress.done()
    text()
    progress.spent({ computing: 0.5, decoding: 1.25, reading: 0 })
    progress.finish('1 embedded', {})
    return text()
  }
  expect(run(false)).toContain('1 embedded; 0.5 images/s, 71 % decoding, 29 % computing, 0 % reading\n')
  expect(JSON.parse(run(true))).toMatchObject({
    event: 'finished',
    imagesPerSecond: 0.5,
    seconds: { computing: 0.5, decoding: 1.25, reading: 0 },
  })
})

test('nothing is said of a speed where everything was done before', () => {
  const { progress, text } = watch({})
  progress.done(true)
  progress.spent({ computing: 0, decoding: 0, reading: 0.1 })
  text()
  progress.finish('nothing new', {})
  expect(text()).toMatch(/nothing new\n$/)
})

test('without a terminal only failures are told', () => {
  const { progress, pass, text } = watch({ isTTY: false })
  pass(5000)
  progress.done()
  progress.phase('writing')
  progress.finish('all done', {})
  progress[Symbol.dispose]()
  expect(text()).toBe('')
})

test.each([
  [4, '4 s'],
  [200, '3 min 20 s'],
  [7500, '2 h 5 min'],
  [273600, '3 d 4 h'],
])('%d seconds read %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text)
})
