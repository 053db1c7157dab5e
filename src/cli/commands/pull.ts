/** `plumage pull` brings all files of a model to where its library looks for them, and says what its licence asks for. */
import { Command } from 'commander'
import { given } from '../../encoder/choose-recipe.js'
import { parseModelName } from '../../hub/parse-model-name.js'
import { isAddress } from '../../is-address.js'
import type { PulledModel } from '../../platform/node/hub/pull-model.js'
import { UsageError } from '../cli-error.js'
import type { CommandContext } from '../context.js'
import { downloadAnnouncer } from '../load-chosen-encoder.js'
import { localPath } from '../local-path.js'
import { Progress } from '../progress.js'

interface PullOptions {
  readonly into?: string
  readonly subfolder?: string
  readonly offline?: boolean
  readonly json?: boolean
}

export function pullCommand(context: CommandContext): Command {
  return new Command('pull')
    .description(
      'fetch all files of a model to where Python finds them too, going on where an earlier run stopped',
    )
    .argument('<model>', "owner/name[@revision] at Hugging Face, or timm's, torch.hub's or Birder's name")
    .option('--into <folder>', 'put the files there under their own names instead')
    .option('--subfolder <name>', 'folder within the repository that the model lies in')
    .option('--offline', 'never download')
    .option('--json', 'one JSON object a line')
    .action((model: string, options: PullOptions) => pull(context, model, options))
}

async function pull(context: CommandContext, model: string, options: PullOptions): Promise<void> {
  const { stderr: stream, stdout, isTTY, color, signal } = context
  const { json = false, into, subfolder, offline } = options
  using progress = new Progress({ stream, isTTY, color, json, total: undefined })
  const onProgress = downloadAnnouncer(context, json, progress)
  const onWarning = (message: string) => progress.notice(message)
  const told = { signal, onProgress, onWarning }
  const folder = into === undefined ? undefined : localPath(context.files, '--into', into, FETCHED)
  if (isAddress(model) && parseModelName(model) === null) throw new UsageError(OWN)
  const pulled = await context.pullModel(model, { ...given({ into: folder, subfolder, offline }), ...told })
  for (const change of pulled.changes)
    progress.notice(`${pulled.name} has changed since it was asked for last. ${change}`)
  stdout.write(json ? `${JSON.stringify(pulled)}\n` : inWords(pulled))
}

const FETCHED = 'Files are fetched to this machine: name a folder.'
const OWN =
  'pull fetches what is published under a name. A model at an address of your own is fetched, and kept, by whatever loads it: plumage info s3://bucket/folder.'

function inWords({ name, commit, files, licence, use }: PulledModel): string {
  const width = Math.max(...files.map(({ role }) => role.length))
  const rows = files.map(
    ({ role, path, downloaded }) => `${role.padEnd(width)}  ${path}${downloaded ? '' : ' (was here)'}\n`,
  )
  const at = commit === null ? '' : ` at ${commit.slice(0, 12)}`
  return `${rows.join('')}${name}${at}. Licence, as its publisher says: ${licence ?? 'none named'}; ${use}.\n`
}
