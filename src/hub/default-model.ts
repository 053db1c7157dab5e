/** Says which model ships inside the package, so that every platform, command and page means the same one. */

export const DEFAULT_MODEL = {
  /** Is what `loadEncoder` and the command take when no model is named. */
  name: 'small',
  fileName: 'vit_reg4_s14_nps_ls_tiny-imagenet.safetensors',
  bytes: 43_435_328,
  sha256: '46c4a9797add3e87735fb6503df8a83af15a2a2d58315744f3f184294647962d',
} as const
