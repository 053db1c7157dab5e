/** Knows the networks of torch.hub that Meta keeps in a file of its own: by the name that `torch.hub.load` takes, alone or behind its repository's. */

export interface TorchHubFile {
  readonly url: string
  readonly fileName: string
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

/** Lists the names that torch.hub gives networks which can be fetched. */
export const TORCH_HUB_NAMES: readonly string[] = [...Object.keys(DINOV2), ...Object.keys(DINO)]

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
export function torchHubFileOrNull(text: string): TorchHubFile | null {
  const name = torchHubName(text)
  if (Object.hasOwn(DINO, name))
    return { url: `${FILES}/dino/${DINO[name]}/${DINO[name]}.pth`, fileName: `${DINO[name]}.pth` }
  if (!Object.hasOwn(DINOV2, name)) return null
  return {
    url: `${FILES}/dinov2/${name.replace('_reg', '')}/${DINOV2[name]}.pth`,
    fileName: `${DINOV2[name]}.pth`,
  }
}
