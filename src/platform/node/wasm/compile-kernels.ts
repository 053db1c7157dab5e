/** Finds and compiles the kernels in Node. It stands apart from what the package's types lead to, since Node's lack WebAssembly. */
import { readFileSync } from 'node:fs'
import { EngineError } from '../../../engine/engine-error.js'
import { kernelsName, type WasmVariant } from '../../../engine/wasm/variant.js'
import { type PackageFile, packageFile } from '../package-files.js'

/** Gives the path of a file that this engine needs. Throws `EngineError` `unavailable` where it is missing. */
export function engineFile(name: PackageFile): string {
  return packageFile(
    name,
    (message) => new EngineError('unavailable', `The WebAssembly engine cannot run. ${message}`),
  )
}

/** Compiles the kernels of a variant. Throws `EngineError` `unavailable` where their file is missing, and what compiling throws. */
export function compileKernels(variant: Pick<WasmVariant, 'relaxed' | 'shared'>): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(engineFile(`wasm/build/${kernelsName(variant)}.wasm`)))
}
