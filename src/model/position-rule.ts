/**
 * Names the ways in which libraries resample a position table for another patch grid.
 *
 * - `antialias` is antialiased bicubic, by size: Birder `adjust_size`, timm, Facebook and Hugging Face for models with registers.
 * - `bicubic` is plain bicubic, by size: Birder `set_dynamic_size`, Hugging Face for models without registers.
 * - `bicubic-offset` is plain bicubic, by the scale factor (new + 0.1) / old: Facebook for models without registers.
 */
export const POSITION_RULES = ['antialias', 'bicubic', 'bicubic-offset'] as const
/** Names a way to resample a position table. */
export type PositionRule = (typeof POSITION_RULES)[number]
