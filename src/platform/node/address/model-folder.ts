/** Looks into the folder that a model's address leads to, in a bucket or on a web server. */
import { CheckpointError } from '../../../checkpoint/checkpoint-error.js'
import { withoutSignature } from '../../../formats/signed-query.js'
import type { Opener } from '../../../hub/answer.js'
import { HubError, PassingTrouble } from '../../../hub/hub-error.js'
import { endsAsFile } from '../../../hub/is-model-name.js'
import { USUAL_NAMES } from '../../../hub/parse-model-name.js'
import { StorageError } from '../../../storage/storage-error.js'
import type { Environment } from '../hub/hub-settings.js'
import { lastNameOf, shownName } from '../storage/named-place.js'
import { openBucketOf } from '../storage/object-address.js'
import { below, OBJECT } from '../storage/object-path.js'
import { ObjectOpener, WebOpener } from './address-opener.js'

/** Tells whether a file is there; where that cannot be known, why. */
export type Presence = 'there' | 'absent' | { readonly why: string }

export interface ModelFolder extends AsyncDisposable {
  /** Is the address that was given. */
  readonly address: string
  /** Names the folder, without what is secret or changes from time to time. */
  readonly name: string
  /** Names the file that was meant; null where it was the folder. */
  readonly file: string | null
  /** Says whether other files than that one may be asked for. */
  readonly showsOthers: boolean
  /** Names the files that may be the checkpoint, or that lie right in the folder. Throws `StorageError`, `HubError`; the signal's reason. */
  names(signal: AbortSignal | undefined): Promise<readonly string[]>
  has(name: string, signal: AbortSignal | undefined): Promise<Presence>
  urlOf(name: string): URL
  openerOf(name: string): Opener
}

/** Throws `CheckpointError` `not-found`, `HubError` `no-address`, `StorageError`. */
export async function openModelFolder(address: string, env: Environment): Promise<ModelFolder> {
  return OBJECT.test(address) ? await openInBucket(address) : openOnWeb(address, env)
}

async function openInBucket(given: string): Promise<ModelFolder> {
  const address = given.replace(/\/+$/, '')
  // What ends as checkpoints do is one: whether there is a folder of that name need not be asked.
  const at = address.lastIndexOf('/')
  const file = endsAsFile(address) ? address.slice(at + 1) : null
  const name = file === null ? address : address.slice(0, at)
  const { storage, key } = await openBucketOf(name)
  const prefix = key === '' ? '' : `${key}/`
  return {
    address,
    name,
    file,
    showsOthers: true,
    async names(signal) {
      const names: string[] = []
      for await (const object of storage.list({ prefix, signal })) names.push(object.key.slice(prefix.length))
      return names.filter((one) => !one.includes('/'))
    },
    async has(one, signal) {
      try {
        return (await storage.look(prefix + one, { signal })) === null ? 'absent' : 'there'
      } catch (error) {
        if (error instanceof StorageError && error.code === 'refused')
          return { why: error.message.replace(/\.$/, '') }
        throw error
      }
    },
    urlOf(one) {
      const [, kind = '', rest = ''] = /^(\w+:\/\/)(.*)$/s.exec(below(name, one)) ?? []
      return new URL(kind + encoded(rest))
    },
    openerOf: (one) => new ObjectOpener(below(name, one)),
    [Symbol.asyncDispose]: async () => {},
  }
}

/** A web server may take so long to say whether it has a file. */
const PATIENCE_MS = 30_000

const encoded = (key: string) => key.split('/').map(encodeURIComponent).join('/')

function openOnWeb(address: string, env: Environment): ModelFolder {
  if (!URL.canParse(address))
    throw new HubError('no-address', `${address} is no address: a part of it cannot be read.`)
  const url = new URL(address)
  if (url.username !== '' || url.password !== '')
    throw new HubError(
      'no-address',
      `${shownName(address)} has a name and a password, which whoever it leads to would be shown: a model is fetched without. Fetch it in another way, and give its path.`,
    )
  url.hash = ''
  const { folder: path, name: last } = lastNameOf(url)
  if (last !== '' && !endsAsFile(last))
    throw new CheckpointError(
      'not-found',
      `${shownName(address)} is the address of no checkpoint: expected a name that ends in .safetensors, .pt, .pth or .bin, or a folder, whose address ends in /.${adviceFor(url)}`,
    )
  const opener = new WebOpener(env)
  const folder = new URL(url)
  folder.pathname = path
  const query = new URL(withoutSignature(url.href)).search
  const urlOf = (name: string) => {
    const found = new URL(folder)
    found.pathname += encodeURIComponent(name)
    return found
  }
  const has = async (name: string, signal: AbortSignal | undefined): Promise<Presence> => {
    const patience = AbortSignal.timeout(PATIENCE_MS)
    try {
      const headers = {}
      const both = signal === undefined ? patience : AbortSignal.any([signal, patience])
      const answer = await opener.open(urlOf(name), {
        method: 'HEAD',
        headers,
        signal: both,
      })
      await answer.cancel()
      if (answer.status === 200) return 'there'
      return [404, 410].includes(answer.status) ? 'absent' : { why: `the answer is ${answer.status}` }
    } catch (error) {
      signal?.throwIfAborted()
      if (patience.aborted) return { why: `there was no answer in ${PATIENCE_MS / 1000} s` }
      const known = error instanceof PassingTrouble ? error.error : error
      if (known instanceof HubError) return { why: known.message.replace(/\.$/, '') }
      throw known
    }
  }
  return {
    address,
    name: `${url.origin}${folder.pathname.replace(/\/$/, '')}${query}`,
    file: last === '' ? null : last,
    showsOthers: url.search === '',
    async names(signal) {
      for (const name of USUAL_NAMES) if ((await has(name, signal)) === 'there') return [name]
      return []
    },
    has,
    urlOf,
    openerOf: () => opener,
    [Symbol.asyncDispose]: () => opener[Symbol.asyncDispose](),
  }
}

function adviceFor({ hostname, pathname }: URL): string {
  const [, owner, name] = /^\/([^/]+)\/([^/]+)/.exec(pathname) ?? []
  return hostname === 'huggingface.co' && owner !== undefined
    ? ` For that repository say ${owner}/${name}.`
    : ''
}
