/** `plumage picture rollout` follows attention through all blocks: how much of each patch reaches the class token and the registers. */
import { Command, Option } from 'commander'
import { given } from '../../../encoder/choose-recipe.js'
import { heatSteps } from '../../../picture/draw/draw-patches.js'
import { legendBar } from '../../../picture/draw/layout.js'
import { rollOut } from '../../../picture/roll-out.js'
import type { CommandContext } from '../../context.js'
import { addLikeOption } from '../../look-like.js'
import { composed, heatOptions, shownRange } from './composed.js'
import { drawnInTurns } from './drawn-in-turns.js'
import { makePicture, type PictureKind } from './make-picture.js'
import {
  addMapOption,
  addPictureOptions,
  type HeatMapOptions,
  inexactOption,
  numberWithin,
} from './picture-options.js'

const FUSIONS = ['max', 'mean', 'min'] as const

interface RolloutOptions extends HeatMapOptions {
  readonly fuse: (typeof FUSIONS)[number]
  readonly discard?: number
  readonly inexact?: boolean
}

export function rolloutCommand(context: CommandContext): Command {
  const command = new Command('rollout').description(
    'follow attention through all blocks: which patches reach the class token in the end',
  )
  addLikeOption(addMapOption(addPictureOptions(command)), ['birder'])
    .addOption(new Option('--fuse <how>', 'heads become one').choices(FUSIONS).default('max'))
    .option(
      '--discard <share>',
      'of the weights between patches, the smallest, that is left out (default: 0.9)',
      numberWithin(0, 1, 'a number from 0 to 1, such as 0.9'),
    )
    .addOption(inexactOption())
  return command.action((inputs: string[], options: RolloutOptions) =>
    makePicture(context, inputs, options, rolloutPicture(options)),
  )
}

function rolloutPicture(options: RolloutOptions): PictureKind {
  return {
    title: 'Attention rolled out through all blocks (Abnar and Zuidema, 2020).',
    upsamples: true,
    async *draw(work) {
      const layers = Array.from({ length: work.encoder.depth }, (_, layer) => layer)
      const attention = {
        layers,
        heads: options.fuse,
        from: 'all',
        inexact: options.inexact ?? false,
      } as const
      for await (const { path, photo, features } of work.photos({ attention, batch: 1 })) {
        const values = rollOut(features, given({ discardRatio: options.discard }))
        const range = shownRange(values)
        const steps = heatSteps(photo, features, values, heatOptions(options, range))
        const heat = await drawnInTurns(steps, work.signal)
        const image = composed(photo, heat, options)
        yield {
          path,
          image,
          legend: legendBar({ map: options.map, range, title: 'share of the largest' }, image.width),
        }
      }
    },
  }
}
