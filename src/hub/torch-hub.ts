/** Knows the networks of torch.hub that Meta keeps in a file of its own: by the name that `torch.hub.load` takes, alone or behind its repository's. */

export interface TorchHubFile {
  readonly url: string
  readonly fileName: string
}

/** Is what `torch.hub.load` fetches for a name. */
export interface TorchHubModel extends TorchHubFile {
  /** Is the file of the classifier that stands on the network; absent for a network alone. */
  readonly head?: TorchHubFile
}

const FILES = 'https://dl.fbaipublicfiles.com'

/** Is how hubconf.py of facebookresearch/dino calls the files of its vision transformers. */
const DINO: Readonly<Record<string, string>> = {
  dino_vits16: 'dino_deitsmall16_pretrain',
  dino_vits8: 'dino_deitsmall8_pretrain',
  dino_vitb16: 'dino_vitbase16_pretrain',
  dino_vitb8: 'dino_vitbase8_pretrain',
}

/** Is how dinov2/hub/backbones.py of facebookresearch/dinov2 calls those of its own. */
const DINOV2: Readonly<Record<string, string>> = Object.fromEntries(
  ['s', 'b', 'l', 'g'].flatMap((size) => [
    [`dinov2_vit${size}14`, `dinov2_vit${size}14_pretrain`],
    [`dinov2_vit${size}14_reg`, `dinov2_vit${size}14_reg4_pretrain`],
  ]),
)

/** Ends the name of a DINOv2 with its linear classifier of four blocks, which is what dinov2/hub/classifiers.py takes by default. */
const CLASSIFIER = '_lc'

/** Lists the names that torch.hub gives networks which can be fetched. */
export const TORCH_HUB_NAMES: readonly string[] = [
  ...Object.keys(DINOV2),
  ...Object.keys(DINOV2).map((name) => `${name}${CLASSIFIER}`),
  ...Object.keys(DINO),
]

/** Begins what `torch.hub.load` takes for a repository of Meta's; a branch may follow. */
const OF_META = /^facebookresearch\/(\w+)(?::([\w.-]+))?:(\w+)$/

/** Tells the form of a torch.hub name behind its repository, whether the name is known or not. */
export function isOfTorchHub(text: string): boolean {
  return OF_META.test(text)
}

/** Takes the repository away from in front of a name, where it is the one that the name is of, at its main branch. */
export function torchHubName(text: string): string {
  const [, repository, branch = 'main', name = ''] = OF_META.exec(text) ?? []
  return name.startsWith(`${repository}_`) && branch === 'main' ? name : text
}

/** Gives null for a name that is none of these. */
export function torchHubModelOrNull(text: string): TorchHubModel | null {
  const name = torchHubName(text)
  if (Object.hasOwn(DINO, name)) {
    const file = `${DINO[name]}.pth`
    return { url: `${FILES}/dino/${DINO[name]}/${file}`, fileName: file }
  }
  const network = name.endsWith(CLASSIFIER) ? name.slice(0, -CLASSIFIER.length) : name
  const trained = Object.hasOwn(DINOV2, network) ? DINOV2[network] : undefined
  if (trained === undefined) return null
  const fileOf = (fileName: string): TorchHubFile => ({
    url: `${FILES}/dinov2/${network.replace('_reg', '')}/${fileName}`,
    fileName,
  })
  const model = fileOf(`${trained}.pth`)
  return network === name
    ? model
    : { ...model, head: fileOf(trained.replace('pretrain', 'linear4_head.pth')) }
}
