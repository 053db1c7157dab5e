/** Runs one list of cases, what every engine owes, on all engines that are here. contract/exceptions.ts says who is excused from what, and why. */
import { describe, expect, test } from 'vitest'
import { DISPOSAL } from './contract/disposal.js'
import { EXCEPTIONS, type Exception, exceptionFor } from './contract/exceptions.js'
import { INTERRUPTIONS } from './contract/interruptions.js'
import { MEMORY } from './contract/memory.js'
import { OWNERSHIP } from './contract/ownership.js'
import { SHAPES } from './contract/shapes.js'
import { SUBJECTS } from './contract/subject.js'
import { TOGETHER } from './contract/together.js'

const CASES = [...SHAPES, ...INTERRUPTIONS, ...DISPOSAL, ...MEMORY, ...TOGETHER, ...OWNERSHIP]

for (const { engine, reason, cases } of EXCEPTIONS) {
  console.warn(`excused: ${engine} from ${cases.map((name) => `"${name}"`).join(', ')}: ${reason}`)
}

test('every exception names an engine and cases that are there', () => {
  const names = CASES.map(({ name }) => name)
  for (const { cases } of EXCEPTIONS) expect(names).toEqual(expect.arrayContaining([...cases]))
  expect(new Set(names).size).toBe(names.length)
})

for (const subject of SUBJECTS) {
  describe(`contract, ${subject.name}`, () => {
    for (const { name, run } of CASES) {
      const exception = exceptionFor(subject, name)
      if (exception === undefined) test(name, () => run(subject))
      else test(`excused: ${name}`, () => assertNeeded(exception, () => run(subject)))
    }
  })
}

async function assertNeeded({ engine, reason }: Exception, run: () => Promise<void>): Promise<void> {
  const outcome = await run().then(
    () => 'keeps to it',
    () => 'does not',
  )
  expect(outcome, `${engine} needs its exception no longer (${reason})`).toBe('does not')
}
