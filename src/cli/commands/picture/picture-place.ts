/** Decides where pictures go (a file, a folder, the terminal), how large photos are drawn there, and puts them there. */
import { dirname } from 'node:path'
import type { RgbImage } from '../../../image/image.js'
import { nearestNames } from '../../../nearest-names.js'
import { contactSheet, framed, stacked, textStrip } from '../../../picture/draw/layout.js'
import { outputTarget } from '../../../platform/node/files/output-target.js'
import { formatOfNameOrNull, type PictureFormat } from '../../../platform/node/picture/picture-formats.js'
import { FeatureNames } from '../../../work/feature-names.js'
import { below } from '../../../work/files.js'
import { asOutputError } from '../../../work/output-error.js'
import { UsageError } from '../../cli-error.js'
import type { CommandContext } from '../../context.js'
import { prepareOutput } from '../../run-resumably.js'
import type { PairOptions } from './picture-options.js'

/** Is the picture of a photo, or of two. */
export interface Tile {
  /** Names it as the input was given. */
  readonly path: string
  readonly image: RgbImage
  /** Says what is to be known of this one alone. */
  readonly note?: string
  /** Is drawn below it, as legends are. */
  readonly legend?: RgbImage
}

export type Place =
  | { readonly kind: 'terminal' }
  | { readonly kind: 'file'; readonly path: string; readonly format: PictureFormat }
  | { readonly kind: 'folder'; readonly path: string; readonly format: PictureFormat }

/** More pixels are no picture that anything shows. */
const MOST_PIXELS = 100e6

/** Throws `UsageError` or `OutputError` before anything is computed. */
export async function placeOf(context: CommandContext, options: PairOptions): Promise<Place> {
  const { output, format, restart = false } = options
  if (output === undefined) {
    if (context.pictures.screen !== null) return { kind: 'terminal' }
    throw new UsageError(
      'A picture has no place on stdout, which is no terminal here: give --output, a file such as picture.png, or a folder.',
    )
  }
  if (output === '-')
    throw new UsageError('--output - is stdout, which takes no pictures: name a file, or a folder.')
  const named = formatOfNameOrNull(output)
  const target = await reached(context, output)
  if (target === 'special') {
    throw new UsageError(
      `--output ${output} is a pipe or a device; expected a file such as picture.png, or a folder.`,
    )
  }
  try {
    if (named === null || target === 'folder') {
      if (target === 'file') throw new UsageError(unknownEnding(output))
      if (target === null && /\.[a-z]{2,5}$/i.test(output)) throw new UsageError(unknownEnding(output))
      await context.files.makeFolder(context.files.resolve(output), output)
      return { kind: 'folder', path: output, format: format ?? 'png' }
    }
    if (format !== undefined && format !== named)
      throw new UsageError(`${output} would be a ${named} file, and --format says ${format}: leave one out.`)
    await prepareOutput(context, output)
    await context.pictures.assertTakes(context.files.resolve(output), { replace: restart })
    return { kind: 'file', path: output, format: named }
  } catch (error) {
    throw asOutputError(error)
  }
}

async function reached(
  { files }: CommandContext,
  output: string,
): Promise<'file' | 'folder' | 'special' | null> {
  const target = await outputTarget(files.resolve(output))
  if (target.kind === 'file') return (await files.look(target.path))?.kind === 'file' ? 'file' : null
  return target.kind === 'folder' ? 'folder' : 'special'
}

function unknownEnding(output: string): string {
  const [, ending = ''] = /(\.[^./\\]+)$/.exec(output) ?? []
  const [nearest = '.png'] = nearestNames(ending.toLowerCase(), ['.png', '.jpg', '.jpeg', '.webp'], 1)
  return `--output ${output} is no picture that can be written: expected a name ending in .png, .jpg or .webp (did you mean ${nearest}?), or a folder.`
}

/** Says how long the longest side of a photo is drawn where many share a picture. */
export function sideFor(place: Place, count: number, { side }: PairOptions): number {
  if (side !== undefined) return side
  if (place.kind === 'folder' || count <= 1) return 1024
  return count <= 4 ? 640 : count <= 16 ? 400 : 256
}

/** Puts tiles where they go as they come; what is one picture is put together at the end. */
export class PictureWriter {
  readonly #context: CommandContext
  readonly #place: Place
  readonly #options: PairOptions
  #caption: string
  readonly #tiles: Tile[] = []
  readonly #names: FeatureNames
  #pixels = 0
  #written = 0

  /** @param caption says what the picture shows and what made it */
  constructor(context: CommandContext, place: Place, options: PairOptions, caption: string) {
    this.#context = context
    this.#place = place
    this.#options = options
    this.#caption = caption
    this.#names = new FeatureNames(place.kind === 'folder' ? place.format : 'png')
  }

  /** Counts the pictures that are there. */
  get written(): number {
    return this.#written
  }

  /** Adds to the captions of what is written from now on. */
  remark(text: string): void {
    this.#caption = `${text} ${this.#caption}`
  }

  async add(tile: Tile): Promise<void> {
    if (this.#place.kind === 'folder') {
      const path = below(this.#context.files, this.#place.path, this.#names.nameFor(tile.path))
      const { files, pictures } = this.#context
      await files.makeFolder(dirname(files.resolve(path)), path)
      await pictures.assertTakes(files.resolve(path), { replace: this.#options.restart ?? false })
      return await this.#write(path, this.#place.format, this.#composed([tile]), [tile])
    }
    this.#tiles.push(tile)
    this.#pixels += tile.image.height * tile.image.width
    if (this.#pixels > MOST_PIXELS) {
      throw new UsageError(
        `A picture of so many photos would have more than ${MOST_PIXELS / 1e6} million pixels: give a folder as --output, or a smaller --side.`,
      )
    }
  }

  /** Finishes the one picture, where it is one. */
  async finish(): Promise<void> {
    if (this.#place.kind === 'folder' || this.#tiles.length === 0) return
    if (this.#place.kind === 'file')
      return await this.#write(this.#place.path, this.#place.format, this.#composed(this.#tiles), this.#tiles)
    const { stdout, pictures, signal } = this.#context
    await pictures.screen?.show(sheetOf(this.#tiles, this.#tiles.length > 1), signal)
    const notes = this.#tiles.flatMap(({ path, note }) => (note === undefined ? [] : [`${path}: ${note}`]))
    if (this.#options.caption) for (const line of [...notes, this.#caption]) stdout.write(`${line}\n`)
    this.#written++
  }

  #composed(tiles: readonly Tile[]): RgbImage {
    if (!this.#options.caption) return sheetOf(tiles, false)
    const sheet = sheetOf(tiles, true)
    return framed(stacked([sheet, textStrip(this.#caption, sheet.width)], 12))
  }

  async #write(path: string, format: PictureFormat, image: RgbImage, tiles: readonly Tile[]): Promise<void> {
    const { files, pictures, signal } = this.#context
    const told = `${this.#caption}\n${tiles.map((tile) => tile.path).join('\n')}`
    const bytes = await pictures.encode(image, format, told)
    signal.throwIfAborted()
    await files.write(path, [bytes])
    this.#written++
  }
}

function sheetOf(tiles: readonly Tile[], named: boolean): RgbImage {
  const images = tiles.map(({ path, image, note, legend }) => {
    const text = note === undefined ? path : `${path}\n${note}`
    const below = [
      ...(legend === undefined ? [] : [legend]),
      ...(named ? [textStrip(text, image.width)] : []),
    ]
    return stacked([image, ...below], 6)
  })
  const [first] = images
  if (first === undefined) throw new Error('a picture of no photo')
  if (images.length === 1) return first
  const cell = {
    height: Math.max(...images.map(({ height }) => height)),
    width: Math.max(...images.map(({ width }) => width)),
  }
  // A sheet a little wider than high fits screens.
  const columns = Math.max(1, Math.round(Math.sqrt((images.length * 1.4 * cell.height) / cell.width)))
  return contactSheet(images, Math.min(columns, images.length))
}
