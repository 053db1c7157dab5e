/**
 * `plumage picture norms` shows how long the tokens of patches are before the final norm. Networks without registers keep notes of their own in some patches of
 * plain background, which are many times as long as the others.
 */
import { Command } from 'commander'
import { heatSteps, rangeOf } from '../../../picture/draw/draw-patches.js'
import { legendBar } from '../../../picture/draw/layout.js'
import { normsOf, tokenNorms } from '../../../picture/token-norms.js'
import { concatenate } from '../../../tensor/concatenate.js'
import type { CommandContext } from '../../context.js'
import { bandsOf } from './bands.js'
import { composed, heatOptions } from './composed.js'
import { drawnInTurns } from './drawn-in-turns.js'
import { type EncodedPhoto, makePicture, type PictureKind } from './make-picture.js'
import { addMapOption, addPictureOptions, type HeatMapOptions } from './picture-options.js'
import type { Tile } from './picture-place.js'

export function normsCommand(context: CommandContext): Command {
  const command = new Command('norms').description(
    'show how long the token of each patch is, and so the artefacts that registers remove',
  )
  return addMapOption(addPictureOptions(command)).action((inputs: string[], options: HeatMapOptions) =>
    makePicture(context, inputs, options, normsPicture(options)),
  )
}

function normsPicture(options: HeatMapOptions): PictureKind {
  return {
    title:
      'Lengths of patch tokens before the final norm (Darcet et al., Vision Transformers Need Registers, 2023).',
    takesTiles: true,
    upsamples: true,
    async *draw(work) {
      for await (const photo of work.photos({ preNorm: true }))
        yield { path: photo.path, ...(await drawn(photo, options, work.signal)) }
    },
  }
}

async function drawn(
  { photo, features }: EncodedPhoto,
  options: HeatMapOptions,
  signal: AbortSignal,
): Promise<Omit<Tile, 'path'>> {
  const bands = [...bandsOf(features, 'preNorm')].map((band) => tokenNorms(band).norms)
  const { norms, median, outliers } = normsOf(concatenate(bands))
  const range = [0, rangeOf(norms)[1]] as const
  const heat = await drawnInTurns(heatSteps(photo, features, norms, heatOptions(options, range)), signal)
  const image = composed(photo, heat, options)
  const long = outliers.reduce((sum, isLong) => sum + isLong, 0)
  return {
    image,
    legend: legendBar({ map: options.map, range, title: 'length of the token' }, image.width),
    note: `median ${median.toPrecision(3)}; ${long} of ${norms.length} more than twice as long`,
  }
}
