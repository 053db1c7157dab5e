/** `plumage models` lists the names that a model can be given by. */
import { Command } from 'commander'
import { fnmatch } from '../../hub/fnmatch.js'
import type { ModelFacts } from '../../hub/model-facts.js'
import type { KnownModel } from '../../hub/names-by-rule.js'
import { nearPartOrNull, suggestModels } from '../../hub/suggest-models.js'
import { refusedByNameOrNull } from '../../model/dialects/other-families.js'
import { UsageError } from '../cli-error.js'
import type { CommandContext } from '../context.js'

export function modelsCommand(context: CommandContext): Command {
  return new Command('models')
    .description('list the models that are known by name, and whose names they are')
    .argument('[filter]', 'only names that contain this, or match it where it has a * or a ?')
    .option('--json', 'one JSON object a line')
    .action(async (filter: string | undefined, options: { readonly json?: boolean }) => {
      const { knownModels } = await import('../../hub/known-models.js')
      const { factsOf } = await import('../../hub/model-facts.js')
      const models = matching(knownModels(), filter).map((model) => ({ ...model, ...factsOf(model.name) }))
      context.stdout.write(options.json ? jsonLines(models) : table(models))
    })
}

function matching(models: readonly KnownModel[], filter = '*'): readonly KnownModel[] {
  const pattern = (/[*?[]/.test(filter) ? filter : `*${filter}*`).toLowerCase()
  const found = models.filter(({ name }) => fnmatch(name.toLowerCase(), pattern))
  if (found.length > 0) return found
  const refused = refusedByNameOrNull(filter)
  if (refused !== null) throw refused
  const names = models.map(({ name }) => name)
  const part = nearPartOrNull(filter, names)
  throw new UsageError(
    `No known name matches ${filter}. ` +
      (part === null
        ? `The nearest are ${suggestModels(filter, names).join(', ')}.`
        : `Is ${part} meant? Some names have it.`),
  )
}

type Described = KnownModel & ModelFacts

function jsonLines(models: readonly Described[]): string {
  return models.map((model) => `${JSON.stringify(model)}\n`).join('')
}

function table(models: readonly Described[]): string {
  const width = Math.max(...models.map(({ name }) => name.length))
  const rows = models.map(
    (model) => `${model.name.padEnd(width)}  ${[model.from, ...factsInWords(model)].join(', ')}\n`,
  )
  return `${rows.join('')}\nAny other repository of Hugging Face is named owner/name, a file or folder by its path.\n`
}

function factsInWords(facts: ModelFacts): readonly string[] {
  const { family, licence, gated, openAs, parameters, megabytes } = facts
  return [
    ...(family === null ? [] : [family]),
    ...(parameters === null ? [] : [`${parameters} M parameters`]),
    ...(megabytes === null ? [] : [`${megabytes} MB`]),
    ...(licence === null ? [] : [licence]),
    ...(gated === true ? ['gated'] : []),
    ...(openAs === null ? [] : [`open as ${openAs}`]),
  ]
}
