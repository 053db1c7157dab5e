import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { systemClock } from './clock.js'

test('a pause ends by itself and leaves no listener behind', async () => {
  const { signal } = new AbortController()
  await systemClock.pause(1, signal)
  await systemClock.pause(1, undefined)
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('an abort ends a pause at once with its own reason, before it and in the middle', async () => {
  const controller = new AbortController()
  const reason = new Error('enough')
  const hours = systemClock.pause(9_999_999, controller.signal)
  controller.abort(reason)
  await expect(hours).rejects.toBe(reason)
  await expect(systemClock.pause(9_999_999, controller.signal)).rejects.toBe(reason)
})

test('what was to happen after some time does, unless it is called off', async () => {
  const happened: string[] = []
  const callOff = systemClock.after(1, () => happened.push('called off'))
  const isOver = new Promise<void>((resolve) => {
    systemClock.after(2, () => {
      happened.push('happened')
      resolve()
    })
  })
  callOff()
  await isOver
  expect(happened).toEqual(['happened'])
})
