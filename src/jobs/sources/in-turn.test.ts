/** Several sequences are read at once, and no order changes, however long each takes. */
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { gathered } from '../../../test/support/gathered.js'
import { inTurn } from './in-turn.js'

test('items come as if the sequences were read one after the other', async () => {
  const waits = fc.array(fc.array(fc.nat(2), { maxLength: 6 }), { maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(
      waits,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 3 }),
      async (all, atOnce, items) => {
        let reading = 0
        let most = 0
        const sequences = all.map(
          (steps, sequence) =>
            async function* () {
              most = Math.max(most, ++reading)
              for (const [at, wait] of steps.entries()) {
                if (wait > 0) await sleep(wait - 1)
                yield `${sequence} ${at}`
              }
              reading--
            },
        )
        const found = await gathered(inTurn(sequences, { atOnce, items }))
        expect(found).toEqual(all.flatMap((steps, sequence) => steps.map((_, at) => `${sequence} ${at}`)))
        expect(most).toBeLessThanOrEqual(atOnce)
      },
    ),
    { numRuns: 60 },
  )
})

test('an error comes in its turn, and ends the others', async () => {
  const signals: AbortSignal[] = []
  const failing = (fails: boolean) =>
    async function* (signal: AbortSignal) {
      signals.push(signal)
      yield 'a'
      if (fails) throw new Error('broken')
      yield 'b'
    }
  const found: string[] = []
  const reading = async () => {
    for await (const item of inTurn([failing(false), failing(true), failing(false)], { atOnce: 3, items: 1 }))
      found.push(item)
  }
  await expect(reading()).rejects.toThrow('broken')
  expect(found).toEqual(['a', 'b', 'a'])
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true])
})

test('nothing is read far ahead of who takes it', async () => {
  let read = 0
  const endless = async function* () {
    for (;;) yield ++read
  }
  for await (const item of inTurn([endless], { atOnce: 1, items: 4 })) if (item === 100) break
  expect(read).toBeLessThan(110)
})
