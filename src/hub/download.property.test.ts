/**
 * Whatever a server does, a download ends in the whole right file or in a named error, after a bounded number
 * of questions.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  BROWSER_TRAITS,
  hashOf,
  MemoryPlace,
  NODE_TRAITS,
  type Reply,
  type Script,
  ScriptedServer,
  SkippingClock,
} from '../../test/support/memory-download.js'
import type { Question } from './answer.js'
import { type DownloadJob, download } from './download.js'
import { HubError, PassingTrouble } from './hub-error.js'

const url = new URL('https://hub.example/w.pt?signature=secret')
const ADVICE = { again: 'Run again', notFound: '', forbidden: '', busy: '', wrongHash: '' }

interface Manners {
  readonly version: number
  readonly etag: 'own' | 'same' | 'weak' | 'none'
  readonly ranges: 'understood' | 'ignored' | 'elsewhere' | 'lied about'
  readonly heedsIfRange: boolean
  readonly length: 'right' | 'none' | 'longer' | 'shorter' | 'nonsense'
  readonly encoding: 'none' | 'gzip'
  readonly end: 'close' | 'early' | 'cut' | 'stall'
  /** The answer ends after this share of its bytes. */
  readonly endAt: number
}

type Behaviour = Manners | number | 'silence' | 'unreachable'

/** Answers as a server with these manners does; a well-mannered one does as RFC 9110 says. */
function replyOf(manners: Manners, { headers }: Question, versions: readonly Uint8Array[]): Reply {
  const file = versions[manners.version % versions.length] as Uint8Array
  const etag = { own: `"v${manners.version}"`, same: '"v"', weak: `W/"v${manners.version}"`, none: null }[
    manners.etag
  ]
  const asked = /^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1]
  const condition = headers['if-range']
  const isHeeded = condition === undefined || !manners.heedsIfRange || condition === etag
  const isRange = asked !== undefined && manners.ranges !== 'ignored' && isHeeded
  const start = isRange ? Number(asked) : 0
  const common = {
    ...(etag === null ? {} : { etag }),
    ...(manners.encoding === 'none' ? {} : { 'content-encoding': manners.encoding }),
  }
  if (isRange && start >= file.length) {
    return { status: 416, headers: { ...common, 'content-range': `bytes */${file.length}` } }
  }
  const from =
    manners.ranges === 'elsewhere' || manners.ranges === 'lied about' ? Math.max(0, start - 1) : start
  const body = file.subarray(from)
  const told = manners.ranges === 'lied about' ? start : from
  const length = {
    right: `${body.length}`,
    none: null,
    longer: `${body.length + 3}`,
    shorter: `${Math.max(0, body.length - 3)}`,
    nonsense: 'many',
  }[manners.length]
  return {
    status: isRange ? 206 : 200,
    headers: {
      ...common,
      ...(length === null ? {} : { 'content-length': length }),
      ...(isRange ? { 'content-range': `bytes ${told}-${file.length - 1}/${file.length}` } : {}),
    },
    body: manners.end === 'close' ? body : body.subarray(0, Math.floor(body.length * manners.endAt)),
    end: manners.end === 'early' ? 'close' : manners.end,
  }
}

function scriptOf(
  behaviours: readonly Behaviour[],
  versions: readonly Uint8Array[],
  last: Behaviour,
): Script {
  return (question, visit) => {
    const behaviour = behaviours[visit] ?? last
    if (behaviour === 'silence') return 'silence'
    if (behaviour === 'unreachable') return new PassingTrouble(new HubError('no-network', 'no connection'))
    if (typeof behaviour === 'number') return { status: behaviour, headers: { 'retry-after': '1' } }
    return replyOf(behaviour, question, versions)
  }
}

const GOOD: Manners = {
  version: 0,
  etag: 'own',
  ranges: 'understood',
  heedsIfRange: true,
  length: 'right',
  encoding: 'none',
  end: 'close',
  endAt: 1,
}

const passing = fc.constantFrom<Behaviour>(408, 425, 429, 500, 502, 503, 504, 'silence', 'unreachable')
const endings = fc.record({
  end: fc.constantFrom('close' as const, 'early', 'cut', 'stall'),
  endAt: fc.double({ min: 0, max: 1, noNaN: true }),
})
/**
 * These servers say the truth of what they send, but may serve another version each time, or end before they
 * should.
 */
const truthful = fc
  .tuple(
    fc.record({
      version: fc.nat(2),
      etag: fc.constantFrom('own' as const, 'own', 'weak', 'none'),
      ranges: fc.constantFrom('understood' as const, 'understood', 'ignored', 'elsewhere'),
      length: fc.constantFrom('right' as const, 'right', 'none', 'nonsense'),
    }),
    endings,
  )
  .map(([manners, ending]): Manners => {
    // An end that comes early without a cut can only be told where the length was announced.
    const end = ending.end === 'early' && manners.length !== 'right' ? 'cut' : ending.end
    return { ...GOOD, ...manners, ...ending, end }
  })
const anyManners = fc
  .tuple(
    fc.record({
      version: fc.nat(2),
      etag: fc.constantFrom('own' as const, 'same', 'weak', 'none'),
      ranges: fc.constantFrom('understood' as const, 'ignored', 'elsewhere', 'lied about'),
      heedsIfRange: fc.boolean(),
      length: fc.constantFrom('right' as const, 'none', 'longer', 'shorter', 'nonsense'),
      encoding: fc.constantFrom('none' as const, 'none', 'none', 'gzip'),
    }),
    endings,
  )
  .map(([manners, ending]): Manners => ({ ...manners, ...ending }))
const status = fc.constantFrom<Behaviour>(204, 206, 304, 400, 401, 403, 404, 410, 416, 418, 501)
const anything = fc.oneof(
  { weight: 6, arbitrary: anyManners },
  { weight: 2, arbitrary: passing },
  { weight: 1, arbitrary: status },
)

/** There are three versions of one file, of whatever lengths. */
const versions = fc.array(fc.uint8Array({ minLength: 20, maxLength: 60 }), { minLength: 3, maxLength: 3 })
const traits = fc.constantFrom(NODE_TRAITS, BROWSER_TRAITS)

async function attempt(
  place: MemoryPlace,
  script: Script,
  traits: typeof NODE_TRAITS,
  job: Partial<DownloadJob>,
) {
  const clock = new SkippingClock()
  const server = new ScriptedServer(clock, script, traits)
  const outcome = await download({ url, ...job }, { place, opener: server, advice: ADVICE, clock }).then(
    ({ kept }) => ({ kept, error: null }),
    (error: unknown) => ({ kept: null, error }),
  )
  if (outcome.error !== null) {
    expect(outcome.error).toBeInstanceOf(HubError)
    expect(String(outcome.error)).not.toContain('secret')
  }
  expect(server.answersHeld, 'every answer is read to its end or let go').toBe(0)
  expect(clock.waiting, 'no timer outlives the download').toBe(0)
  expect([place.isLocked, place.isOpen]).toEqual([false, false])
  return { ...outcome, questions: server.questions.length, clock }
}

test('with a known hash: the right file or a named error, whatever is answered, and a good server mends what was left', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anything, { maxLength: 8 }),
      anything,
      versions,
      traits,
      fc.nat(5),
      fc.boolean(),
      async (behaviours, last, versions, traits, retries, isLengthKnown) => {
        const file = versions[0] as Uint8Array
        const job = { sha256: hashOf(file), retries, ...(isLengthKnown ? { size: file.length } : {}) }
        const place = new MemoryPlace()
        const first = await attempt(place, scriptOf(behaviours, versions, last), traits, job)
        if (first.kept !== null) expect(first.kept).toEqual(file)
        else expect(place.stored).toBeNull()
        expect(first.questions).toBeLessThanOrEqual(retries + 2)

        const second = await attempt(place, scriptOf([], versions, GOOD), traits, { ...job, retries: 1 })
        expect(second.kept).toEqual(file)
        expect(second.questions).toBeLessThanOrEqual(3)
      },
    ),
    { numRuns: 1000 },
  )
})

test('with no hash: all of one version or a named error, as long as the server says the truth of what it sends', async () => {
  const behaviour = fc.oneof({ weight: 4, arbitrary: truthful }, { weight: 1, arbitrary: passing })
  await fc.assert(
    fc.asyncProperty(
      fc.array(behaviour, { maxLength: 10 }),
      truthful,
      versions,
      traits,
      async (behaviours, last, versions, traits) => {
        const place = new MemoryPlace()
        const { kept, questions } = await attempt(place, scriptOf(behaviours, versions, last), traits, {})
        if (kept !== null) expect(versions.map(hashOf)).toContain(hashOf(kept))
        expect(questions).toBeLessThanOrEqual(6)
      },
    ),
    { numRuns: 1000 },
  )
})

test('troubles that pass are no reason to fail: as many as there are retries, then the file', async () => {
  const trouble = fc.oneof(
    passing.filter((behaviour) => behaviour !== 'unreachable'),
    fc
      .record({
        end: fc.constantFrom('early' as const, 'cut', 'stall'),
        endAt: fc.double({ min: 0, max: 0.99, noNaN: true }),
        ranges: fc.constantFrom('understood' as const, 'ignored'),
      })
      .map((manners): Manners => ({ ...GOOD, ...manners })),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(trouble, { maxLength: 5 }),
      versions,
      traits,
      fc.boolean(),
      async (troubles, versions, traits, isHashed) => {
        const file = versions[0] as Uint8Array
        const job = isHashed ? { sha256: hashOf(file) } : {}
        const { kept, questions, clock } = await attempt(
          new MemoryPlace(),
          scriptOf(troubles, versions, GOOD),
          traits,
          job,
        )
        expect(kept).toEqual(file)
        expect(questions).toBeLessThanOrEqual(troubles.length + 1)
        expect(clock.pauses).toHaveLength(troubles.length)
        expect(Math.max(0, ...clock.pauses)).toBeLessThanOrEqual(60_000)
      },
    ),
    { numRuns: 200 },
  )
})

test('no more than the limit is ever kept, whoever sends more', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anything, { maxLength: 5 }),
      anything,
      versions,
      traits,
      fc.nat(60),
      async (behaviours, last, versions, traits, atMost) => {
        const place = new MemoryPlace()
        const { kept } = await attempt(place, scriptOf(behaviours, versions, last), traits, {
          atMost,
          retries: 2,
        })
        expect((kept ?? place.bytes).length).toBeLessThanOrEqual(atMost)
      },
    ),
  )
})
