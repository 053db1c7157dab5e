/** Asks servers as a page can: redirects are followed unseen, and headers of other origins may be hidden. */
import type { Answer, Opener, Question } from '../../../hub/answer.js'
import { HubError, PassingTrouble } from '../../../hub/hub-error.js'
import { showUrl } from '../../../hub/show-url.js'

export const fetchOpener: Opener = {
  // It would make the browser ask another origin for leave first, which many refuse.
  sendsIfRange: false,
  hidesHeaders: true,
  decodes: true,
  async open(url: URL, { method, headers, signal }: Question): Promise<Answer> {
    try {
      // Models are kept by us, and the browser's own cache would keep them twice.
      const cache = method === 'HEAD' ? 'no-cache' : 'no-store'
      return answerOf(url, await fetch(url, { method, headers, signal, cache }))
    } catch (error) {
      // Browsers say of every trouble on the way, and of an answer that this page may not read, no more than
      // this.
      throw error instanceof TypeError ? noConnection(url, error) : error
    }
  },
}

function answerOf(url: URL, response: Response): Answer {
  return {
    status: response.status,
    // An address of bytes is not told back.
    url: new URL(response.url || url.href),
    header: (name) => response.headers.get(name),
    body: chunksOf(response),
    cancel: async () => {
      await response.body?.cancel().catch(() => {})
    },
  }
}

/** Safari's streams cannot be walked through otherwise. */
async function* chunksOf({ body }: Response): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = body?.getReader()
  if (reader === undefined) return
  try {
    while (true) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

function noConnection(url: URL, cause: unknown): PassingTrouble {
  const isElsewhere = url.origin !== globalThis.location.origin
  const reason = isElsewhere
    ? `there is no connection, or ${url.host} does not let pages of other origins read it (CORS)`
    : `there is no connection to ${url.host}`
  return new PassingTrouble(
    new HubError(
      'no-network',
      `${showUrl(url)} cannot be fetched: ${reason}. Check the network and the address, then load again: it goes on from what has come.`,
      { cause },
    ),
  )
}
