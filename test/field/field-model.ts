/** Puts a model of a field case into a folder as its library would leave it, and embeds the case's photo with it. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { LoadOptions } from '../../src/encoder/load-options.js'
import type { Features } from '../../src/encoder/types.js'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { folderOfFieldCase } from './folder-of-field-case.js'

export interface FieldModel {
  /** Leads to the weights, from test/field. */
  readonly weights: string
  /** Names the weights otherwise than their file. */
  readonly name?: string
  /** Holds what stands in the files beside the weights; a text leads to a file from test/field. */
  readonly config?: object | string
  readonly processor?: object | string
}

export interface FieldResult extends Features {
  readonly warnings: readonly string[]
  readonly recipe: string
}

/** The engine of float64 sums computes, so that only the right answer is near the right value. */
export async function embedField(
  { weights, name = basename(weights), config, processor }: FieldModel,
  photo: string,
  options: LoadOptions = {},
): Promise<FieldResult> {
  const folder = mkdtempSync(join(tmpdir(), 'plumage-field-'))
  try {
    const model = join(folder, name)
    symlinkSync(folderOfFieldCase(weights), model)
    place(join(folder, 'config.json'), config)
    place(join(folder, 'preprocessor_config.json'), processor)
    const warnings: string[] = []
    const onWarning = (warning: string) => warnings.push(warning)
    await using encoder = await loadEncoder(model, { engine: 'reference', onWarning, ...options })
    const features = await encoder.encode(folderOfFieldCase(photo))
    return { ...features, patchBox: features.patchBox, warnings, recipe: features.identity.recipe }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function place(path: string, content: object | string | undefined): void {
  if (typeof content === 'string') symlinkSync(folderOfFieldCase(content), path)
  else if (content !== undefined) writeFileSync(path, JSON.stringify(content))
}
