/** Checks the download's decisions one by one, against a server, a place and a clock in memory. */
import { describe, expect, test } from 'vitest'
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
import { type DownloadJob, download } from './download.js'
import type { DownloadProgress } from './download-progress.js'
import { HubError, PassingTrouble } from './hub-error.js'
import type { PartialDownload } from './partial-download.js'

const url = new URL('https://hub.example/w.pt?signature=secret')
const file = Uint8Array.from({ length: 100 }, (_, at) => at)
const sha256 = hashOf(file)
const ADVICE = {
  again: 'Do it once more',
  notFound: 'Look elsewhere.',
  forbidden: 'Ask for leave.',
  busy: 'Have patience.',
  wrongHash: 'Wonder why.',
}

interface World {
  readonly place?: MemoryPlace
  readonly traits?: typeof NODE_TRAITS
}

async function attempt(
  script: Script,
  job: Partial<DownloadJob> = {},
  { place = new MemoryPlace(), traits = NODE_TRAITS }: World = {},
) {
  const clock = new SkippingClock()
  const opener = new ScriptedServer(clock, script, traits)
  const told: DownloadProgress[] = []
  const onProgress = (progress: DownloadProgress) => told.push(progress)
  const { result, error } = await download(
    { url, onProgress, ...job },
    { place, opener, advice: ADVICE, clock },
  ).then(
    (result) => ({ result, error: null }),
    (error) => ({ result: null, error }),
  )
  return { result, error, told, clock, place, questions: opener.questions }
}

const ETAG = { etag: '"one"' }

function whole(extra: Partial<Reply> = {}): Reply {
  return { status: 200, headers: { ...ETAG, 'content-length': '100' }, body: file, ...extra }
}

/** Is cut after 40 bytes. */
const CUT = whole({ body: file.subarray(0, 40), end: 'cut' })

function rest(headers: Record<string, string> = ETAG): Reply {
  return { status: 206, headers: { ...headers, 'content-range': 'bytes 40-99/100' }, body: file.subarray(40) }
}

/** Gives one answer after the other, and the last one again and again. */
function inTurn(...replies: (Reply | Error | 'silence')[]): Script {
  return (_, visit) => replies[visit] ?? (replies.at(-1) as Reply)
}

describe('pieces', () => {
  test('If-Range is sent where it may be, and the rest is joined', async () => {
    const { result, questions } = await attempt(inTurn(CUT, rest()))
    expect(result).toMatchObject({ kept: file, size: 100, sha256, downloaded: true })
    expect(questions.map(({ headers }) => headers)).toEqual([{}, { range: 'bytes=40-', 'if-range': '"one"' }])
    const browser = await attempt(inTurn(CUT, rest()), {}, { traits: BROWSER_TRAITS })
    expect(browser.result?.kept).toEqual(file)
    expect(browser.questions[1]?.headers).toEqual({ range: 'bytes=40-' })
  })

  test('a piece that does not name its version is joined where If-Range or a hash vouches for it, and else is not', async () => {
    const script = inTurn(CUT, rest({}), whole())
    expect((await attempt(script)).questions).toHaveLength(2)
    expect((await attempt(script, { sha256 }, { traits: BROWSER_TRAITS })).questions).toHaveLength(2)
    const unproven = await attempt(script, {}, { traits: BROWSER_TRAITS })
    expect(unproven.questions.map(({ headers }) => headers.range)).toEqual([
      undefined,
      'bytes=40-',
      undefined,
    ])
  })

  test('a piece whose place is hidden is joined by a browser with a hash, and by nobody else', async () => {
    const hidden: Reply = {
      status: 206,
      headers: { ...ETAG, 'content-length': '60' },
      body: file.subarray(40),
    }
    const script = inTurn(CUT, hidden, whole())
    const browser = await attempt(script, { sha256 }, { traits: BROWSER_TRAITS })
    expect(browser.questions).toHaveLength(2)
    expect(browser.told.find(({ kind }) => kind === 'resume')).toMatchObject({ received: 40, total: 100 })
    expect((await attempt(script, {}, { traits: BROWSER_TRAITS })).questions).toHaveLength(3)
    expect((await attempt(script, { sha256 })).questions).toHaveLength(3)
  })

  test('pieces that make a wrong whole are fetched once more in one piece; a wrong whole in one piece is not', async () => {
    const mixed = inTurn(CUT, { ...rest(), body: new Uint8Array(60) }, whole())
    expect((await attempt(mixed, { sha256 })).questions).toHaveLength(3)
    const never: Script = (_, visit) => (visit % 2 === 0 ? CUT : { ...rest(), body: new Uint8Array(60) })
    const twice = await attempt(never, { sha256 })
    expect([twice.error?.code, twice.questions.length]).toEqual(['wrong-hash', 4])
    const wrong = await attempt(inTurn(whole()), { sha256: hashOf(new Uint8Array()) })
    expect(wrong.error).toMatchObject({ code: 'wrong-hash', message: /Nothing was kept\. Wonder why\.$/ })
    expect(wrong.questions).toHaveLength(1)
    expect(wrong.place.bytes).toHaveLength(0)
  })

  test('416 of a file that has all of another length than expected is short-file, not the file', async () => {
    const noLength = whole({ headers: ETAG, end: 'cut' })
    const script = inTurn(noLength, { status: 416, headers: { ...ETAG, 'content-range': 'bytes */100' } })
    expect((await attempt(script)).result?.kept).toEqual(file)
    expect((await attempt(script, { size: 101 })).error).toMatchObject({
      code: 'short-file',
      message: /offers 100 bytes, expected 101/,
    })
  })

  test('416 of another version says nothing about the bytes that are here', async () => {
    const noLength = whole({ headers: ETAG, end: 'cut' })
    const other = { status: 416, headers: { etag: '"two"', 'content-range': 'bytes */100' } }
    for (const traits of [NODE_TRAITS, BROWSER_TRAITS]) {
      const { questions } = await attempt(inTurn(noLength, other, whole()), {}, { traits })
      expect(questions.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=100-', undefined])
    }
  })

  test.each([
    [
      'is encoded, so that its place is not that of its bytes',
      { ...ETAG, 'content-encoding': 'gzip' },
      '40-99/100',
    ],
    ['is of a file that ends before it', ETAG, '40-99/30'],
  ])('a piece that %s is not joined', async (_, headers, range) => {
    const piece = { status: 206, headers: { ...headers, 'content-range': `bytes ${range}` } }
    const { result, questions } = await attempt(inTurn(CUT, piece, whole()), {}, { traits: BROWSER_TRAITS })
    expect([result?.kept, questions.length]).toEqual([file, 3])
  })

  test('an answer that ends before the length that it announced was cut, though nobody says so', async () => {
    const { result, questions } = await attempt(inTurn(whole({ body: file.subarray(0, 40) }), rest()))
    expect([result?.kept, questions.length]).toEqual([file, 2])
  })

  test('a hash in capitals is the same hash', async () => {
    expect((await attempt(inTurn(whole()), { sha256: sha256.toUpperCase() })).result?.sha256).toBe(sha256)
  })

  test('bytes of an earlier run are taken up when their version is known, and thrown away when not', async () => {
    const left = (etag: string | null) => {
      const place = new MemoryPlace()
      place.bytes = file.slice(0, 40)
      place.version = { etag, lastModified: null }
      return place
    }
    const known = await attempt(inTurn(rest()), {}, { place: left('"one"') })
    expect(known.told.map(({ kind }) => kind)).toEqual(['verify', 'resume', 'bytes', 'done'])
    const unknown = await attempt(inTurn(whole()), {}, { place: left(null) })
    expect(unknown.told.map(({ kind }) => kind)).toEqual(['start', 'bytes', 'done'])
    expect((await attempt(inTurn(rest({})), { sha256 }, { place: left(null) })).result?.kept).toEqual(file)
  })
})

describe('encoded answers', () => {
  const gzipped = whole({ headers: { ...ETAG, 'content-length': '30', 'content-encoding': 'gzip' } })

  test('where they are decoded, the announced length is not that of the file', async () => {
    const { result, told } = await attempt(inTurn(gzipped), {}, { traits: BROWSER_TRAITS })
    expect(result?.kept).toEqual(file)
    expect(told[0]).toMatchObject({ kind: 'start', total: null })
  })

  test('where they are not, only a hash can say that these are the right bytes', async () => {
    expect((await attempt(inTurn(gzipped))).error).toMatchObject({
      code: 'server-error',
      message: /encoded \(gzip\)/,
    })
    const hashed = whole({ headers: { ...ETAG, 'content-encoding': 'aws-chunked' } })
    expect((await attempt(inTurn(hashed), { sha256 })).result?.kept).toEqual(file)
    const identity = whole({ headers: { ...ETAG, 'content-encoding': 'identity' } })
    expect((await attempt(inTurn(identity))).result?.kept).toEqual(file)
  })
})

describe('a stored file', () => {
  const stored = (etag: string | null = '"one"') => {
    const place = new MemoryPlace()
    place.stored = { bytes: file, version: { etag, lastModified: null } }
    return place
  }
  const head = (headers: Record<string, string>): Reply => ({ status: 200, headers })

  test.each<[string, Reply | Error | 'silence']>([
    ['has the same version', head({ ...ETAG, 'content-length': '100' })],
    ['says nothing', head({})],
    ['does not know HEAD', { status: 405 }],
    ['cannot be reached', new PassingTrouble(new HubError('no-network', 'no connection'))],
    ['never answers', 'silence'],
  ])('is used when the server %s', async (_, reply) => {
    const { result, questions, told } = await attempt(inTurn(reply), {}, { place: stored() })
    expect(result).toMatchObject({ kept: file, downloaded: false, sha256: null })
    expect(questions.map(({ method }) => method)).toEqual(['HEAD'])
    expect(told).toEqual([])
  })

  test.each([
    ['names another version', { etag: '"two"' }],
    ['has another length', { ...ETAG, 'content-length': '101' }],
  ])('is fetched anew when the server %s', async (_, headers) => {
    const { result, questions } = await attempt(
      (question) => (question.method === 'HEAD' ? head(headers) : whole()),
      {},
      { place: stored() },
    )
    expect(result?.downloaded).toBe(true)
    expect(questions.at(-1)?.method).toBe('GET')
  })

  test('is not asked after when its hash or nothing of its version is known, or the network may not be used', async () => {
    const noOne = inTurn(new Error('nobody should be asked'))
    expect((await attempt(noOne, { sha256 }, { place: stored() })).result?.downloaded).toBe(false)
    expect((await attempt(noOne, { offline: 'it is dark' }, { place: stored() })).result?.downloaded).toBe(
      false,
    )
    const place = stored()
    place.stored = { bytes: file, version: null }
    expect((await attempt(noOne, {}, { place })).result?.downloaded).toBe(false)
    expect((await attempt(noOne, { offline: 'it is dark' })).error).toMatchObject({
      code: 'offline',
      message: 'it is dark',
    })
  })

  test('that somebody else brought while the lock was waited for is used', async () => {
    const place = new MemoryPlace()
    place.meanwhile = () => {
      place.stored = { bytes: file, version: null }
    }
    const { result, questions, told } = await attempt(inTurn(whole()), { sha256 }, { place })
    expect(result?.downloaded).toBe(false)
    expect(questions).toHaveLength(0)
    expect(told.map(({ kind }) => kind)).toEqual(['waiting'])
  })
})

describe('patience', () => {
  test.each([
    ['2', 2000],
    [' 7 ', 7000],
    ['3600', 60_000],
    [new Date(0).toUTCString(), 0],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 60_000],
  ])('Retry-After: %s is kept, up to a minute', async (value, expected) => {
    const { clock } = await attempt(inTurn({ status: 503, headers: { 'retry-after': value } }, whole()))
    expect(clock.pauses).toEqual([expected])
  })

  test('without Retry-After, or with one that says nothing, each wait is about twice the last one', async () => {
    for (const headers of [{}, { 'retry-after': 'later' }]) {
      const { clock, error } = await attempt(inTurn({ status: 500, headers }), {
        retries: 4,
        retryDelayMs: 100,
      })
      expect(error).toMatchObject({
        code: 'server-error',
        message: /answered 500, expected the file\. Have patience\./,
      })
      expect(clock.pauses).toHaveLength(4)
      for (const [at, pause] of clock.pauses.entries()) {
        expect(pause / (100 * 2 ** at)).toBeGreaterThanOrEqual(0.75)
        expect(pause / (100 * 2 ** at)).toBeLessThanOrEqual(1.25)
      }
    }
  })

  test('a server that cannot be reached is tried three times at most', async () => {
    const trouble = new PassingTrouble(new HubError('no-network', 'no connection'))
    expect((await attempt(inTurn(trouble), { retries: 9 })).questions).toHaveLength(3)
    expect((await attempt(inTurn(trouble), { retries: 0 })).questions).toHaveLength(1)
  })

  test('a mebibyte of progress is worth any number of tries, and bytes that come again are none', async () => {
    const large = new Uint8Array(4 << 20)
    const piecemeal: Script = ({ headers }) => {
      const start = Number(/\d+/.exec(headers.range ?? '0')?.[0])
      const range = { 'content-range': `bytes ${start}-${large.length - 1}/${large.length}` }
      const isLast = start + (1 << 20) === large.length
      return {
        status: start === 0 ? 200 : 206,
        headers: { ...ETAG, ...(start === 0 ? { 'content-length': `${large.length}` } : range) },
        body: large.subarray(start, start + (1 << 20)),
        end: isLast ? 'close' : 'cut',
        chunk: 1 << 20,
      }
    }
    const { result, questions } = await attempt(piecemeal, { retries: 1 })
    expect([result?.size, questions.length]).toEqual([large.length, 4])
    const again = await attempt((question) => piecemeal({ ...question, headers: {} }, 0), { retries: 1 })
    expect(again.error).toMatchObject({ code: 'short-file' })
    expect(again.questions).toHaveLength(2)
  })

  test('a slow disk is not a stalled server: nobody watches while bytes are written', async () => {
    const clock = new SkippingClock()
    const watched: number[] = []
    class SlowPlace extends MemoryPlace {
      override async openPartial(): Promise<PartialDownload<Uint8Array>> {
        const partial = await super.openPartial()
        for (const method of ['append', 'reserve', 'begin'] as const) {
          const work: (argument: never) => Promise<void> = partial[method].bind(partial)
          Object.assign(partial, {
            [method]: (argument: never) => {
              watched.push(clock.waiting)
              return work(argument)
            },
          })
        }
        return partial
      }
    }
    const opener = new ScriptedServer(clock, inTurn(CUT, 'silence', rest()))
    await download({ url }, { place: new SlowPlace(), opener, advice: ADVICE, clock })
    expect(watched.length).toBeGreaterThan(10)
    expect(new Set(watched)).toEqual(new Set([0]))
  })
})

describe('refusals', () => {
  test.each([
    [404, 'not-found', /there is none at this address\. Look elsewhere\./, 1],
    // The address that the redirect leads to may have expired: the first host is asked for another one.
    [403, 'forbidden', /it may not be read\. Ask for leave\./, 3],
    [418, 'server-error', /answered 418, expected the file\. Have patience\./, 1],
  ])(
    '%d ends in %s with the advice of the platform, and names the host behind a redirect',
    async (status, code, message, times) => {
      const { error, questions } = await attempt(
        inTurn({ status, from: 'https://cdn.example/blob?signature=secret' }),
      )
      expect(error).toMatchObject({ code, message })
      expect(error.message).toContain('https://hub.example/w.pt (redirected to cdn.example)')
      expect(error.message).not.toContain('secret')
      expect(questions).toHaveLength(times)
    },
  )

  test('what is kept after a refusal is what had come; another file leaves nothing', async () => {
    const { place } = await attempt(inTurn(CUT, { status: 404 }))
    expect(place.bytes).toEqual(file.slice(0, 40))
    const longer = await attempt(inTurn(CUT, whole()), { atMost: 99 })
    expect(longer.error).toMatchObject({
      code: 'too-long',
      message: /offers 100 bytes or more, expected at most 99/,
    })
    expect(longer.place.bytes).toHaveLength(0)
  })

  test("our own disk's trouble is thrown as it is and not tried again; what was written stays", async () => {
    const place = new MemoryPlace()
    place.room = 50
    const noLength = whole({ headers: ETAG })
    const { error, questions } = await attempt(inTurn(noLength), {}, { place })
    expect(error).toMatchObject({ message: 'the disk is full' })
    expect(questions).toHaveLength(1)
    expect(place.bytes).toEqual(file.slice(0, 49))
    expect((await attempt(inTurn(whole()), {}, { place })).error).toMatchObject({
      message: 'the disk is too small',
    })
  })
})

describe('aborts', () => {
  test('an abort throws its own reason wherever it comes, and the bytes stay for the next call', async () => {
    const reason = new Error('enough')
    for (const kind of ['start', 'bytes', 'resume'] as const) {
      const place = new MemoryPlace()
      const controller = new AbortController()
      const onProgress = (progress: DownloadProgress) => progress.kind === kind && controller.abort(reason)
      const { error } = await attempt(
        inTurn(CUT, rest()),
        { signal: controller.signal, onProgress },
        { place },
      )
      expect([kind, error]).toEqual([kind, reason])
      expect(place.isLocked).toBe(false)
      const again = await attempt(
        ({ headers }) => (headers.range === 'bytes=40-' ? rest() : whole()),
        { sha256 },
        { place },
      )
      expect(again.result?.kept).toEqual(file)
    }
    const { error, questions } = await attempt(inTurn(whole()), { signal: AbortSignal.abort(reason) })
    expect([error, questions.length]).toEqual([reason, 0])
  })

  test('a lock that is lost ends the download with what its platform says of it', async () => {
    const lost = new AbortController()
    class LosingPlace extends MemoryPlace {
      override async lock(...options: Parameters<MemoryPlace['lock']>) {
        return { ...(await super.lock(...options)), lost: lost.signal }
      }
    }
    const reason = new HubError('locked', 'another has it')
    const onProgress = ({ kind }: DownloadProgress) => kind === 'bytes' && lost.abort(reason)
    const { error, place } = await attempt(inTurn(whole()), { onProgress }, { place: new LosingPlace() })
    expect(error).toBe(reason)
    expect(place.isLocked).toBe(false)
  })
})

test('of bytes, the first after each start is told and then no more than ten a second; what was cut is told with its reason', async () => {
  const script: Script = (_, visit) => [CUT, 'silence' as const, rest()][visit] ?? whole()
  const { told } = await attempt(script, { stallTimeoutMs: 250 })
  expect(told.map(({ kind, received }) => [kind, received])).toEqual([
    ['start', 0],
    ['bytes', 7],
    ['resume', 40],
    ['bytes', 47],
    ['done', 100],
  ])
  expect(new Set(told.map(({ url }) => url))).toEqual(new Set(['https://hub.example/w.pt']))
  const stalled = await attempt(inTurn(CUT, 'silence'), { retries: 1, stallTimeoutMs: 250 })
  expect(stalled.error).toMatchObject({
    code: 'stalled',
    message:
      'hub.example sent nothing for 0.25 s, 40 bytes into /w.pt. Check the network. Do it once more: it goes on from there.',
  })
  const cut = await attempt(inTurn(CUT), { retries: 0 })
  expect(cut.error).toMatchObject({ code: 'short-file', cause: { message: 'the connection was reset' } })
})
