/** `plumage picture clusters` groups the patches of all photos by what they are; a group has one colour wherever it is. */
import { Command } from 'commander'
import { categoryColors } from '../../../picture/draw/categories.js'
import { groupSteps } from '../../../picture/draw/draw-patches.js'
import { swatches } from '../../../picture/draw/layout.js'
import {
  clusterPatches,
  groupScores,
  largestScores,
  type PatchClusters,
} from '../../../picture/patch-clusters.js'
import { MOST_UPSAMPLED_CHANNELS } from '../../../picture/upsample.js'
import { UsageError } from '../../cli-error.js'
import type { CommandContext } from '../../context.js'
import { addLikeOption } from '../../look-like.js'
import { positiveInteger } from '../../model-options.js'
import { foundInBands } from './bands.js'
import { composed, opacityOf, upsamplingOf } from './composed.js'
import { drawnInTurns } from './drawn-in-turns.js'
import { keepPhotos } from './kept-photos.js'
import { makePicture, type PictureKind } from './make-picture.js'
import { addPictureOptions, type PictureOptions } from './picture-options.js'

interface ClustersOptions extends PictureOptions {
  readonly count: number
  readonly seed: number
}

/** More colours are not told apart. */
const MOST_GROUPS = 32

export function clustersCommand(context: CommandContext): Command {
  const command = new Command('clusters').description(
    'group the patches of all photos by what they are: parts that photos share have one colour',
  )
  addLikeOption(addPictureOptions(command))
    .option('--count <n>', 'most groups', positiveInteger, 6)
    .option('--seed <n>', 'where it begins: the same seed gives the same groups', positiveInteger, 1)
  return command.action((inputs: string[], options: ClustersOptions) =>
    makePicture(context, inputs, options, clustersPicture(options)),
  )
}

function clustersPicture(options: ClustersOptions): PictureKind {
  const { count, seed, upsample } = options
  if (count > MOST_GROUPS)
    throw new UsageError(
      `--count ${count}: ${MOST_GROUPS} groups at most have colours that can be told apart.`,
    )
  if (upsample !== 'none' && count > MOST_UPSAMPLED_CHANNELS)
    throw new UsageError(
      `--upsample ${upsample}: a pixel has a score for each group, and at most ${MOST_UPSAMPLED_CHANNELS} of them. Give --count ${MOST_UPSAMPLED_CHANNELS} or fewer.`,
    )
  return {
    title: 'Groups of patches in all photos together (spherical k-means; Dhillon and Modha, 2001).',
    takesTiles: true,
    upsamples: true,
    likes: 'patches',
    async *draw(work) {
      const { sample, first, photos } = await keepPhotos(work)
      if (first === null) return
      work.phase('grouping patches')
      const { products, signal } = work
      const clusters = await clusterPatches(sample.maps, count, { seed, products, signal })
      const colors = categoryColors(clusters.count)
      for await (const { path, photo, features } of photos()) {
        const scores = await foundInBands(features, (band) =>
          groupScores(band, clusters, { products, signal }),
        )
        const shown = { opacity: opacityOf(options, 0.7), upsample: upsamplingOf(options) }
        const steps = groupSteps(photo, features, { scores, groups: colors }, shown)
        const drawn = await drawnInTurns(steps, signal)
        const image = composed(photo, drawn, options)
        const labels = largestScores(scores, clusters.count)
        yield { path, image, legend: swatches(entriesOf(clusters, labels, colors), image.width) }
      }
    },
  }
}

/** Lists the groups that are in a photo, with how many of its patches they have and how many photos they were found in. */
function entriesOf({ counts }: PatchClusters, labels: Int32Array, colors: ReturnType<typeof categoryColors>) {
  return counts.flatMap((perPhoto, group) => {
    const own = labels.reduce((sum, label) => sum + (label === group ? 1 : 0), 0)
    const color = colors[group]
    if (own === 0 || color === undefined) return []
    const photos = perPhoto.filter((count) => count > 0).length
    const shared = perPhoto.length === 1 ? '' : `, in ${photos} of ${perPhoto.length} photos`
    return [{ color, text: `${group + 1}: ${own} ${own === 1 ? 'patch' : 'patches'}${shared}` }]
  })
}
