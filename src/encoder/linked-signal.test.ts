import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { linkedSignal } from './linked-signal.js'

test('work for several images ends when the last of them is given up, with the reason of one', () => {
  const [run, a, b] = [new AbortController(), new AbortController(), new AbortController()]
  using linked = linkedSignal(run.signal, [a.signal, b.signal])
  b.abort('b')
  expect(linked.signal.aborted).toBe(false)
  a.abort('a')
  expect(linked.signal.reason).toBe('a')
})

test('an image that cannot be given up keeps the work going, which ends with the run alone', () => {
  const [run, own] = [new AbortController(), new AbortController()]
  using linked = linkedSignal(run.signal, [own.signal, undefined])
  own.abort('own')
  expect(linked.signal.aborted).toBe(false)
  run.abort('run')
  expect(linked.signal.reason).toBe('run')
})

test('the run ends it whatever the images say, also when it has ended before', () => {
  const own = new AbortController()
  using linked = linkedSignal(AbortSignal.abort('run'), [own.signal])
  expect(linked.signal.reason).toBe('run')
})

test('nothing stays on the signals afterwards', () => {
  const [run, own] = [new AbortController(), new AbortController()]
  const linked = linkedSignal(run.signal, [own.signal])
  expect(getEventListeners(run.signal, 'abort')).toHaveLength(1)
  linked[Symbol.dispose]()
  expect(getEventListeners(run.signal, 'abort')).toEqual([])
  expect(getEventListeners(own.signal, 'abort')).toEqual([])
})
