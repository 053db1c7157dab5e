/** A model is a set of files, each of which has a role: told by their names, as the libraries that write them choose those. */
import { checkpointsAmong } from './name-of-file.js'
import { USUAL_NAMES } from './parse-model-name.js'

/** Says what a file is to a model. */
export type FileRole =
  | 'weights'
  | 'config'
  | 'recipe'
  | 'labels'
  | 'head'
  | 'tokenizer'
  | 'licence'
  | 'readme'

export interface ModelFile {
  readonly name: string
  readonly role: FileRole
}

/** Without these files a model cannot be run as it was meant. */
export const NEEDED_ROLES: ReadonlySet<FileRole> = new Set(['weights', 'config', 'recipe', 'labels'])

const ROLES: readonly (readonly [FileRole, RegExp])[] = [
  ['config', /^config\.json$/],
  ['recipe', /^(preprocessor_config|processor_config|open_clip_config|image_processor_config)\.json$/],
  ['labels', /^(labels|classes|class_names|synset\w*)\.(txt|json)$|^(id2label|label_names)\.json$/i],
  ['head', /(^|[_-])(head|heads|classifier)([_-]\w+)*\.(safetensors|pt|pth|bin)$/i],
  [
    'tokenizer',
    /^(tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab)\.json$|^(vocab|merges)\.txt$|^(spiece|tokenizer|sentencepiece)\.model$/,
  ],
  ['licence', /^(licen[cs]e|notice|copying|use_policy)([._-].*)?$/i],
  ['readme', /^readme(\.\w+)?$/i],
]

/** open_clip has names of its own for weights. */
const OPEN_CLIP = ['open_clip_model.safetensors', 'open_clip_pytorch_model.bin']

/** Gives the files of a model among those of a repository, weights last and what names their parts at the very end; null where there are no weights. */
export function filesOfModel(names: readonly string[]): readonly ModelFile[] | null {
  const beside = names.flatMap((name) => {
    const [role] = ROLES.find(([, pattern]) => pattern.test(name)) ?? []
    return role === undefined ? [] : [{ name, role }]
  })
  const heads = new Set(beside.filter(({ role }) => role === 'head').map(({ name }) => name))
  const main = mainFileOf(names.filter((name) => !heads.has(name)))
  if (main === null) return null
  const weights = [...partsOf(main, names), main].map((name) => ({ name, role: 'weights' }) as const)
  return [...beside, ...weights]
}

/** A repository may hold one network in several formats, of which safetensors is read quickest. */
function mainFileOf(names: readonly string[]): string | null {
  const usual = [...USUAL_NAMES, ...OPEN_CLIP].find((name) => names.includes(name))
  if (usual !== undefined) return usual
  const found = checkpointsAmong(names)
  const safe = found.filter((name) => name.endsWith('.safetensors'))
  const [only, ...others] = safe.length > 0 ? safe : found
  return only !== undefined && others.length === 0 ? only : null
}

function partsOf(main: string, names: readonly string[]): readonly string[] {
  if (!main.endsWith('.index.json')) return []
  const [stem = '', ...endings] = main.replace('.index.json', '').split('.')
  return names.filter((name) => name.startsWith(`${stem}-`) && name.endsWith(`.${endings.join('.')}`))
}
