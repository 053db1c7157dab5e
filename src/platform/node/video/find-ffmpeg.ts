/** Finds the ffmpeg of this machine, which reads and writes films: none comes with this library. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { VideoError } from './video-error.js'

const run = promisify(execFile)

/** Is a program that was found and that answers. */
export interface Ffmpeg {
  /** Is what is started: a name that is looked for in PATH, or a path. */
  readonly path: string
  /** Is the version as the program says it, such as `7.0.2-static`. */
  readonly version: string
}

/** Before 5.1 frames cannot be asked for as they lie in time, whatever the rate that the file claims. */
const OLDEST = [5, 1] as const
const MOST_OUTPUT = 16 * 2 ** 20

const HOW_TO_GET_ONE =
  'Install it (apt install ffmpeg, brew install ffmpeg, winget install ffmpeg, or pip install imageio-ffmpeg, which brings one), and put its path ' +
  'into PLUMAGE_FFMPEG where it is not in PATH.'

const found = new Map<string, Promise<Ffmpeg>>()

/** Takes the program that `PLUMAGE_FFMPEG` names, else `ffmpeg` of PATH; it is asked once. Throws `VideoError` `no-ffmpeg`, `unfit-ffmpeg`. */
export function findFfmpeg(): Promise<Ffmpeg> {
  const named = process.env.PLUMAGE_FFMPEG
  const path = named === undefined || named === '' ? 'ffmpeg' : named
  const known = found.get(path)
  if (known !== undefined) return known
  const asked = askVersion(path)
  found.set(path, asked)
  // Whoever installs one meanwhile need not start anew.
  asked.catch(() => found.delete(path))
  return asked
}

async function askVersion(path: string): Promise<Ffmpeg> {
  const text = await answerOf(path, ['-version'])
  const version = /^ffmpeg version (\S+)/.exec(text)?.[1]
  if (version === undefined) {
    throw new VideoError(
      'no-ffmpeg',
      `${path} does not answer as ffmpeg does (it says ${JSON.stringify(text.slice(0, 60))}). ${HOW_TO_GET_ONE}`,
    )
  }
  // Builds between releases have no number, and are newer than any that would be too old.
  const [major, minor] = (/^n?(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number)
  const [oldestMajor, oldestMinor] = OLDEST
  const isOld =
    major !== undefined && (major < oldestMajor || (major === oldestMajor && (minor ?? 0) < oldestMinor))
  if (!isOld) return { path, version }
  throw new VideoError(
    'unfit-ffmpeg',
    `${path} is ffmpeg ${version}; ${OLDEST.join('.')} or newer is needed. ${HOW_TO_GET_ONE}`,
  )
}

const lists = new Map<string, Promise<ReadonlySet<string>>>()

/** Gives the names of what an ffmpeg has of a kind. */
export function partsOf(
  { path }: Ffmpeg,
  kind: 'encoders' | 'decoders' | 'filters',
): Promise<ReadonlySet<string>> {
  const key = `${kind} ${path}`
  const known = lists.get(key)
  if (known !== undefined) return known
  const asked = answerOf(path, ['-hide_banner', `-${kind}`]).then(
    (text) => new Set([...text.matchAll(/^ \S+ +(\w\S*)/gm)].map(([, name]) => String(name))),
  )
  lists.set(key, asked)
  return asked
}

async function answerOf(path: string, args: readonly string[]): Promise<string> {
  try {
    return (await run(path, args, { maxBuffer: MOST_OUTPUT, env: ffmpegEnvironment() })).stdout
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const why =
      code === 'ENOENT'
        ? 'is not there'
        : `does not start (${message.split('\n', 1)[0] ?? 'for no reason given'})`
    throw new VideoError('no-ffmpeg', `Films are read by ffmpeg, and ${path} ${why}. ${HOW_TO_GET_ONE}`, {
      cause,
    })
  }
}

/** What a person has set for their own use of ffmpeg would write reports to the disk, or colour what is read here. */
export function ffmpegEnvironment(): Record<string, string | undefined> {
  const { FFREPORT: _report, AV_LOG_FORCE_COLOR: _color, ...rest } = process.env
  return { ...rest, AV_LOG_FORCE_NOCOLOR: '1' }
}
