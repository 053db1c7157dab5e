/** `plumage picture match` draws lines between the patches of two photos that belong together. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { given } from '../../../encoder/choose-recipe.js'
import { drawMatches } from '../../../picture/draw/draw-matches.js'
import {
  agreeingMatches,
  matchPatches,
  type PatchMatch,
  type PatchMatches,
} from '../../../picture/match-patches.js'
import { isFilm, type WorkInput } from '../../../work/work-input.js'
import { UsageError } from '../../cli-error.js'
import type { CommandContext } from '../../context.js'
import { addLikeOption } from '../../look-like.js'
import { positiveInteger } from '../../model-options.js'
import { type EncodedPhoto, makePicture, type PictureKind } from './make-picture.js'
import { addPairOptions, type PairOptions } from './picture-options.js'

const AGREEMENTS = ['none', 'affine', 'homography'] as const

interface MatchOptions extends PairOptions {
  readonly threshold?: number
  readonly margin?: number
  readonly ratio?: number
  readonly limit: number
  readonly agree: (typeof AGREEMENTS)[number]
}

export function matchCommand(context: CommandContext): Command {
  const command = new Command('match').description(
    'draw lines between the patches of two photos that are most alike',
  )
  addLikeOption(addPairOptions(command))
    .option('--threshold <cosine>', 'least similarity of a pair (default: 0.7)', number)
    .option('--margin <cosine>', 'keep pairs that are so much better than the second best', number)
    .option('--ratio <share>', "keep pairs at most at this part of the second best's distance", number)
    .option('--limit <n>', 'most lines, the most similar first', positiveInteger, 100)
    .addOption(
      new Option('--agree <map>', 'tell pairs that agree with one map of the plane from the others')
        .choices(AGREEMENTS)
        .default('none'),
    )
  return command.action((inputs: string[], options: MatchOptions) =>
    makePicture(context, inputs, options, matchPicture(options)),
  )
}

function matchPicture(options: MatchOptions): PictureKind {
  const { agree } = options
  const agreeing =
    agree === 'none'
      ? ''
      : `, in yellow where they agree with one ${agree} (RANSAC; Fischler and Bolles, 1981)`
  return {
    title: `Patches of two photos that are each other's most similar${agreeing}.`,
    check: assertTwo,
    likes: 'patches',
    async *draw(work) {
      const found: EncodedPhoto[] = []
      for await (const photo of work.photos()) found.push(photo)
      const [first, second] = found
      if (first === undefined || second === undefined) return
      work.phase('matching patches')
      const { threshold, margin, ratio, limit } = options
      const chosen = {
        ...given({ threshold, margin, ratio }),
        limit,
        products: work.products,
        signal: work.signal,
      }
      const matches = await matchPatches(first.features, second.features, chosen)
      const agreed = agreedOf(matches.matches, first, second, agree)
      const image = drawMatches(
        { photo: first.photo, placed: first.features },
        { photo: second.photo, placed: second.features },
        agreed,
      )
      yield { path: `${first.path} → ${second.path}`, image, note: noteOf(agreed, matches) }
    },
  }
}

function assertTwo(inputs: readonly WorkInput[]): void {
  if (inputs.length !== 2)
    throw new UsageError(`A match is between two photos: expected two inputs, found ${inputs.length}.`)
  const film = inputs.find(isFilm)
  if (film !== undefined)
    throw new UsageError(
      `A match is between two photos, and ${film.path} is a film: save the frames that you mean as pictures (plumage embed ${film.path} --scenes --key-frames keys writes one of each scene).`,
    )
}

type Match = PatchMatch & { readonly isInlier?: boolean }

function agreedOf(
  matches: readonly PatchMatch[],
  first: EncodedPhoto,
  second: EncodedPhoto,
  kind: MatchOptions['agree'],
): readonly Match[] {
  if (kind === 'none') return matches
  return agreeingMatches(matches, first.features, second.features, { kind }).matches
}

function noteOf(matches: readonly Match[], { closest }: PatchMatches): string {
  const [first] = matches
  if (first === undefined)
    return closest === null
      ? "no two patches are each other's most similar"
      : `no pair is above the threshold; the most similar has ${closest.toFixed(3)}`
  const agreeing = matches.filter(({ isInlier }) => isInlier).length
  const counted = first.isInlier === undefined ? '' : `, of which ${agreeing} agree`
  return `${matches.length} pairs${counted}, the most similar ${first.score.toFixed(3)}`
}

function number(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value)) return value
  throw new InvalidArgumentError(`Expected a number such as 0.7; found ${text}.`)
}
