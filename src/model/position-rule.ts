/**
 * Names the ways in which libraries resample a position table for another patch grid.
 *
 * - `antialias` is antialiased bicubic, by size: Birder `adjust_size`, timm, Facebook and Hugging Face for models with registers.
 * - `bicubic` is plain bicubic, by size: Birder `set_dynamic_size`, Hugging Face for models without registers.
 * - `bicubic-offset` is plain bicubic, by the scale factor (new + 0.1) / old: Facebook for models without registers, and its first DINO.
 * - `bilinear` is plain bilinear: Perception Encoder, Birder where a network says so.
 * - `bilinear-antialias` is antialiased bilinear: transformers' SigLIP 2 with packed patches, and its TIPSv2.
 * - `bilinear-square` is plain bilinear to a square of the longer side, of which the first rows and columns are taken: C-RADIO.
 * - `bilinear-square-corners` is the same with corners on corners: C-RADIO v3 in its base and huge sizes.
 * - `fixed` refuses any other grid, as a library does whose code has no way to one.
 */
export const POSITION_RULES = [
  'antialias',
  'bicubic',
  'bicubic-offset',
  'bilinear',
  'bilinear-antialias',
  'bilinear-square',
  'bilinear-square-corners',
  'fixed',
] as const
/** Names a way to resample a position table. */
export type PositionRule = (typeof POSITION_RULES)[number]
