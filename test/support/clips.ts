/** Finds the ffmpeg that tests of films use, and makes small films with it. Where there is none such tests are skipped. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { madeOnce } from './made-once.js'
import { packageRoot } from './repository.js'

function onPath(): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.map((folder) => join(folder, 'ffmpeg')).find((path) => existsSync(path)) ?? null
}

/** `.ci/run` puts one here where the system gives none. */
const OWN = join(packageRoot, '.plumage/ffmpeg/ffmpeg')

export const ffmpegPath = process.env.PLUMAGE_FFMPEG ?? onPath() ?? (existsSync(OWN) ? OWN : null)
if (ffmpegPath === null)
  console.log('There is no ffmpeg: tests that read films are skipped. Install it (apt install ffmpeg).')
else process.env.PLUMAGE_FFMPEG = ffmpegPath

/** Makes a film once for all tests of a run, and gives its path. @param args are those of ffmpeg before the output */
export async function clip(name: string, args: string): Promise<string> {
  const folder = await madeOnce(`clip-${name}`, async (folder) => {
    ffmpeg(`${args} ${join(folder, name)}`)
  })
  return join(folder, name)
}

/** Runs ffmpeg. Parts are parted by blanks. */
export function ffmpeg(args: string): void {
  execFileSync(ffmpegPath ?? 'ffmpeg', ['-v', 'error', '-y', '-nostdin', ...args.split(' ')], {
    stdio: 'pipe',
  })
}

/** Tells whether the ffmpeg has an encoder of this name. */
export function hasEncoder(name: string): boolean {
  if (ffmpegPath === null) return false
  return execFileSync(ffmpegPath, ['-hide_banner', '-encoders'], { encoding: 'utf8' }).includes(` ${name} `)
}

/** Are the sixteen-bit fractions a, b, c, d of the matrix by which a film is shown. */
export type Turn = readonly [a: number, b: number, c: number, d: number]

/** Copies an MP4 and writes into its pictures' track how it is to be turned. */
export async function turnedClip(source: string, target: string, [a, b, c, d]: Turn): Promise<string> {
  const bytes = await readFile(source)
  const header = bytes.indexOf('tkhd') + 4
  // Behind version and flags come times, track, length, 8 spare bytes, layer, group, volume and 2 more spare ones.
  const matrix = header + 4 + (bytes[header] === 1 ? 32 : 20) + 8 + 8
  const values = [a, b, 0, c, d, 0, 0, 0, 0]
  for (const [i, value] of values.slice(0, 8).entries()) {
    if (i % 3 !== 2) bytes.writeInt32BE(Math.round(value * 65536), matrix + 4 * i)
  }
  await writeFile(target, bytes)
  return target
}

/** Tells whether the ffmpeg crashes on a film, as static builds do on transport streams that name a service. */
export function crashesOn(path: string): boolean {
  return spawnSync(ffmpegPath ?? 'ffmpeg', ['-v', 'error', '-i', path, '-f', 'null', '-']).status === null
}
