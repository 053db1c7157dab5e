/** Says under which names and in which formats each library's files lie. */
import type { LibraryName } from './writer.js'

/** Names a format of weights' files: safetensors, or PyTorch's own. */
export type WeightsForm = (typeof WEIGHTS_FORMS)[number]
/** Lists the formats of weights' files. */
export const WEIGHTS_FORMS = ['safetensors', 'pt'] as const

/** Names what a file is written for: a library, or this one alone, whose own are those with matrices in bytes. */
export type FileKind = LibraryName | 'int8'

interface FileForms {
  /** Is the library's usual format. */
  readonly usual: WeightsForm
  /** Names the file of weights in a folder, for each format that there is. */
  readonly names: Readonly<Partial<Record<WeightsForm, string>>>
  /** Tells whether a file of weights says all by itself, so that it needs no folder. */
  readonly standsAlone: boolean
  /** Tells whether the library reads weights in several files. */
  readonly isSharded: boolean
}

const HUB_NAMES = { safetensors: 'model.safetensors', pt: 'pytorch_model.bin' } as const

export const FILE_FORMS: Readonly<Record<FileKind, FileForms>> = {
  birder: {
    usual: 'safetensors',
    names: { safetensors: 'model.safetensors', pt: 'model.pt' },
    standsAlone: true,
    isSharded: false,
  },
  facebook: {
    usual: 'pt',
    names: { safetensors: 'model.safetensors', pt: 'model.pth' },
    standsAlone: true,
    isSharded: false,
  },
  'hugging-face': { usual: 'safetensors', names: HUB_NAMES, standsAlone: false, isSharded: true },
  int8: {
    usual: 'safetensors',
    names: { safetensors: 'model.safetensors' },
    standsAlone: true,
    isSharded: false,
  },
  'open-clip': {
    usual: 'safetensors',
    names: { safetensors: 'open_clip_model.safetensors', pt: 'open_clip_pytorch_model.bin' },
    standsAlone: false,
    isSharded: false,
  },
  timm: { usual: 'safetensors', names: HUB_NAMES, standsAlone: false, isSharded: false },
}
