/** Says what whoever uses a converted network should know: what its new files cannot say, and what their library does otherwise. */
import { recipeFor } from '../encoder/choose-recipe.js'
import { recipeIdentity } from '../image/recipe.js'
import type { DialectName } from '../model/dialects/dialect.js'
import type { VitModel } from '../model/read-vit.js'
import type { ConvertSource } from './convert-source.js'

/** Gives whole sentences. */
export function notesOf(
  { vit, config }: ConvertSource,
  back: VitModel,
  library: DialectName,
): readonly string[] {
  const notes: string[] = []
  const [rule, other] = [vit.config.positions?.rule, back.config.positions?.rule]
  if (rule !== undefined && rule !== other) {
    notes.push(
      `At other sizes than ${vit.config.size.join(' x ')} ${library} resamples positions by the rule ${other}, and the source by ${rule}: the numbers there differ a little. Here the source's rule is asked for as positions (--positions ${rule}).`,
    )
  }
  if (config.embedding !== back.config.embedding)
    notes.push(
      `What stands for an image there by default is the embedding ${back.config.embedding}, and for the source ${config.embedding}. Here the source's is asked for as embedding (--embedding ${config.embedding}).`,
    )
  if (config.bias !== null && config.bias.rule !== back.config.bias?.rule)
    notes.push(
      `At other sizes than ${config.size.join(' x ')} ${library} resamples relative positions in another way (${back.config.bias?.rule}) than the source (${config.bias.rule}): the numbers there differ.`,
    )
  const [own, its] = [preparationOf(vit), preparationOf(back)]
  if (own !== its) {
    notes.push(
      `Images are prepared otherwise there by default (${its}) than for the source (${own}). Here recipe, size and normalisation (--recipe, --size, --normalisation) ask for the source's way.`,
    )
  }
  if (vit.labels.names?.join('\n') !== back.labels.names?.join('\n'))
    notes.push(
      `The names of the classes are not told by the new files: ${back.labels.problem ?? 'its numbers tell them'}`,
    )
  return notes
}

function preparationOf(vit: VitModel): string {
  const { mean, std } = vit.config.rgbStats
  return `${recipeIdentity(recipeFor(vit, {}))}, levels less ${mean.join(' ')} by ${std.join(' ')}`
}
