/** `plumage cache` lists what has been downloaded, reads it again and compares hashes, and takes it away. */

import { createInterface } from 'node:readline/promises'
import type { Readable, Writable } from 'node:stream'
import { Command } from 'commander'
import { suggestModels } from '../../hub/suggest-models.js'
import type { CachedModel, VerifiedFile } from '../../platform/node/hub/cache-contents.js'
import { IncompleteError, UsageError } from '../cli-error.js'
import type { CommandContext } from '../context.js'

interface CacheOptions {
  readonly json?: boolean
  readonly yes?: boolean
}

export function cacheCommand(context: CommandContext): Command {
  const command = new Command('cache').description('look after what has been downloaded, by Python too')
  const json = ['--json', 'one JSON object a line'] as const
  command
    .command('list')
    .description('list models, where they lie, how large they are and when they were used')
    .argument('[model]', 'this model alone')
    .option(...json)
    .action((model: string | undefined, options: CacheOptions) => list(context, model, options))
  command
    .command('verify')
    .description('read every byte again and compare hashes')
    .argument('[model]', 'this model alone')
    .option(...json)
    .action((model: string | undefined, options: CacheOptions) => verify(context, model, options))
  command
    .command('remove')
    .description('take a model away, after asking')
    .argument('<model>', 'its name or its path, as `cache list` gives them')
    .option('-y, --yes', 'do not ask')
    .option(...json)
    .action((model: string, options: CacheOptions) => remove(context, model, options))
  return command
}

async function list(
  context: CommandContext,
  model: string | undefined,
  { json }: CacheOptions,
): Promise<void> {
  const models = await chosen(context, model)
  for (const found of models) context.stdout.write(json ? `${JSON.stringify(found)}\n` : `${lineOf(found)}\n`)
  if (models.length === 0 && json !== true) context.stdout.write('Nothing has been downloaded.\n')
}

async function verify(
  context: CommandContext,
  model: string | undefined,
  { json }: CacheOptions,
): Promise<void> {
  const counts = { whole: 0, damaged: 0, unfinished: 0, unknown: 0 } satisfies Record<
    VerifiedFile['state'],
    number
  >
  for (const cached of await chosen(context, model)) {
    for await (const file of context.cached.verify(cached, context.signal)) {
      counts[file.state] += 1
      if (json) context.stdout.write(`${JSON.stringify({ model: cached.name, ...file })}\n`)
      else if (file.state !== 'whole') context.stdout.write(`${file.state}  ${file.path}\n`)
    }
  }
  const { whole, damaged, unfinished, unknown } = counts
  if (!json)
    context.stdout.write(
      `${whole} whole, ${damaged} damaged, ${unfinished} unfinished, ${unknown} of unknown hash.\n`,
    )
  if (damaged > 0)
    throw new IncompleteError(
      `${damaged} of the files are damaged: \`plumage cache remove\` the model and \`plumage pull\` it again.`,
    )
}

async function remove(context: CommandContext, model: string, { yes, json }: CacheOptions): Promise<void> {
  const models = await chosen(context, model)
  for (const found of models) {
    if (yes !== true && !(await isAgreed(context, found))) {
      context.stdout.write(`kept ${found.path}\n`)
      continue
    }
    await context.cached.remove(found)
    context.stdout.write(json ? `${JSON.stringify({ removed: found })}\n` : `removed ${lineOf(found)}\n`)
    if (found.sharedSize > 0 && !json)
      context.stdout.write(
        `${megabytes(found.sharedSize)} of it lie in the store that repositories share and stay there: \`hf cache prune\` frees what nobody uses.\n`,
      )
  }
}

async function isAgreed(
  { stdin, stderr, isTTY, signal }: CommandContext,
  found: CachedModel,
): Promise<boolean> {
  if (!isTTY) throw new UsageError(`To take ${found.path} away without being asked, say --yes.`)
  return await ask(stdin, stderr, `Take ${lineOf(found)} away? [y/N] `, signal)
}

async function ask(
  input: Readable,
  output: Writable,
  question: string,
  signal: AbortSignal,
): Promise<boolean> {
  const lines = createInterface({ input, output })
  try {
    return /^y(es)?$/i.test((await lines.question(question, { signal })).trim())
  } finally {
    lines.close()
  }
}

/** A model is named by its name or its path; several caches may hold one. */
async function chosen(
  { cached }: CommandContext,
  model: string | undefined,
): Promise<readonly CachedModel[]> {
  const all = await cached.list()
  if (model === undefined) return all
  const found = all.filter(({ name, path }) => name === model || path === model)
  if (found.length > 0) return found
  const near = suggestModels(
    model,
    all.map(({ name }) => name),
  )
  const hint = near.length > 0 ? ` The nearest are ${near.join(', ')}.` : ''
  throw new UsageError(`No model called ${model} has been downloaded.${hint}`)
}

function lineOf({ name, path, size, sharedSize, usedAt }: CachedModel): string {
  const shared = sharedSize > 0 ? ` and ${megabytes(sharedSize)} shared` : ''
  return `${name}  ${megabytes(size)}${shared}, used ${usedAt.toISOString().slice(0, 10)}  ${path}`
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
