/** `plumage picture attention` shows where a network looks, head by head or all of them joined. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { given } from '../../../encoder/choose-recipe.js'
import { encodeLike, type MethodName } from '../../../encoder/like.js'
import type { AttentionHeads, AttentionMap } from '../../../encoder/types.js'
import type { RgbImage } from '../../../image/image.js'
import { attentionValues } from '../../../picture/attention-values.js'
import { copyOf } from '../../../picture/draw/canvas.js'
import { drawRing, type Point } from '../../../picture/draw/draw-lines.js'
import { heatSteps } from '../../../picture/draw/draw-patches.js'
import { captioned, contactSheet, legendBar } from '../../../picture/draw/layout.js'
import { pointOn } from '../../../picture/draw/placement.js'
import type { EncodeChoices } from '../../../work/encode-inputs.js'
import { parseHeads } from '../../attention-heads.js'
import { UsageError } from '../../cli-error.js'
import type { CommandContext } from '../../context.js'
import { addLikeOption } from '../../look-like.js'
import { composed, heatOptions, MARK, ringOn, shownRange } from './composed.js'
import { drawnInTurns } from './drawn-in-turns.js'
import { type EncodedPhoto, makePicture, type PictureKind, type SeenPhoto } from './make-picture.js'
import { type GivenPlace, parsePoint, patchesIn, pointIn } from './parse-place.js'
import { addMapOption, addPictureOptions, type HeatMapOptions, inexactOption } from './picture-options.js'
import type { Tile } from './picture-place.js'

interface AttentionOptions extends Omit<HeatMapOptions, 'from'> {
  readonly layer?: number
  readonly show?: AttentionHeads
  readonly from?: (typeof TOKENS)[number]
  readonly point?: GivenPlace
  readonly inexact?: boolean
}

export function attentionCommand(context: CommandContext): Command {
  const command = new Command('attention').description(
    'show what a token of the network looks at: the class token, or the patch at a point',
  )
  addLikeOption(addMapOption(addPictureOptions(command, { takesFrom: false })), SHOWING_HEADS)
    .option('--layer <n>', 'the block: 0 is the first, -1 the last (default: -1)', parseLayer)
    .option(
      '--show <heads>',
      'mean, max or min of all heads; each for a map of every head; or numbers such as 0,3 (default: mean)',
      parseHeads,
    )
    .addOption(
      new Option(
        '--from <token>',
        'who looks (default: the class token; in a network without one, the query of its pooling head)',
      ).choices(TOKENS),
    )
    .option(
      '--point <x,y>',
      'who looks: the patch at this point of each photo, in pixels or hundredths',
      parsePoint,
    )
    .addOption(inexactOption())
  return command.action((inputs: string[], options: AttentionOptions) => {
    // Here `from` says who looks, where it is a time in films for all other pictures.
    const { from: _, ...others } = options
    return makePicture(context, inputs, others, attentionPicture(options))
  })
}

const TOKENS = ['class', 'registers', 'probe'] as const

function attentionPicture(options: AttentionOptions): PictureKind {
  const { point, from } = options
  if (point !== undefined && from !== undefined)
    throw new UsageError('--point and --from both say who looks: give one of them.')
  assertNotTwice(options)
  const who = point === undefined ? (from ?? 'class token') : 'marked patch'
  return {
    title: `Attention of the ${who} to patches (Vaswani et al., 2017; Caron et al., DINO, 2021).`,
    upsamples: true,
    async *draw(work) {
      const choice = choiceOf(options, work.encoder)
      const { inexact = false } = options
      // Which patch a point is in is known once the grid is: until then all of them are asked for.
      const rows = point === undefined ? {} : { from: 'patches' as const }
      for await (const found of work.photos({
        ...choice,
        attention: { ...choice.attention, ...rows, inexact },
      })) {
        const rows = rowsOf(found, options)
        if (rows instanceof Error) work.fail(found.path, rows)
        else yield { path: found.path, ...(await drawn(found, rows, options, work.signal)) }
      }
    },
  }
}

/** Are the tools that show heads side by side; Birder shows attention rolled out. */
const SHOWING_HEADS = ['dinov3', 'dino-vit-features'] as const satisfies readonly MethodName[]

function assertNotTwice({ like, layer, show, from }: AttentionOptions): void {
  const [twice] = Object.keys(given({ '--layer': layer, '--show': show, '--from': from }))
  if (like !== undefined && twice !== undefined)
    throw new UsageError(`--like ${like} sets what ${twice} sets: leave one of the two out.`)
}

function choiceOf(
  { like, layer, show: heads = 'mean', from }: AttentionOptions,
  encoder: Parameters<typeof encodeLike>[2],
): EncodeChoices {
  if (like !== undefined) return encodeLike(like, 'attention', encoder)
  return { attention: { heads, ...given({ layers: layer === undefined ? undefined : [layer], from }) } }
}

/** Says whose rows of the attention are shown, and where they are marked. */
interface Rows {
  readonly map: AttentionMap
  readonly rows: readonly number[]
  readonly at: Point | null
}

function rowsOf({ path, features }: EncodedPhoto, { point }: AttentionOptions): Rows | Error {
  const [map] = features.attention ?? []
  if (map === undefined) throw new Error('the encoder gave no attention')
  if (point === undefined) return { map, rows: [...map.rows.keys()], at: null }
  try {
    const at = pointIn('--point', point, features.imageSize, path)
    return { map, rows: patchesIn('--point', point, { path, features }), at }
  } catch (error) {
    if (error instanceof UsageError) return error
    throw error
  }
}

/** Draws a map for each head, of the mean over the rows. */
async function drawn(
  { photo, features }: EncodedPhoto,
  { map, rows, at }: Rows,
  options: AttentionOptions,
  signal: AbortSignal,
): Promise<Pick<Tile, 'image' | 'legend' | 'note'>> {
  const values = Array.from({ length: map.headCount }, (_, head) =>
    meanOf(rows.map((row) => attentionValues(map, row, head))),
  )
  const heats: RgbImage[] = []
  for (const ofHead of values) {
    const steps = heatSteps(photo, features, ofHead, heatOptions(options, shownRange(ofHead)))
    heats.push(marked(await drawnInTurns(steps, signal), features, at))
  }
  const note = `block ${map.layer}, ${headsText(map.heads)}`
  const [first, ...others] = heats
  const [only] = values
  if (first === undefined || only === undefined) throw new Error('attention without a head')
  const plain = marked(photo, features, at)
  if (others.length === 0) {
    const image = composed(plain, first, options)
    const legend = { map: options.map, range: shownRange(only), title: 'attention weight' }
    return { image, note, legend: legendBar(legend, image.width) }
  }
  const numbers = typeof map.heads === 'string' ? [...heats.keys()] : map.heads
  const tiles = heats.map((heat, index) => captioned(heat, `head ${numbers[index]}`))
  const all = options.layout === 'beside' ? [captioned(plain, 'photo'), ...tiles] : tiles
  return { image: contactSheet(all, Math.ceil(Math.sqrt(all.length))), note }
}

function marked(image: RgbImage, features: SeenPhoto, at: Point | null): RgbImage {
  if (at === null) return image
  const copy = copyOf(image)
  drawRing(copy, pointOn(copy, features, at), ringOn(copy), MARK)
  return copy
}

function meanOf(lists: readonly Float32Array[]): Float32Array {
  const [first = new Float32Array()] = lists
  return first.map((_, at) => lists.reduce((sum, values) => sum + (values[at] ?? 0), 0) / lists.length)
}

function headsText(heads: AttentionHeads): string {
  if (heads === 'each') return 'each head by itself'
  return typeof heads === 'string' ? `${heads} of all heads` : `heads ${heads.join(', ')}`
}

function parseLayer(text: string): number {
  const layer = Number(text)
  if (Number.isSafeInteger(layer) && text.trim() !== '') return layer
  throw new InvalidArgumentError(`Expected a whole number, such as 0 or -1; found ${text}.`)
}
