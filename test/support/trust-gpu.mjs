/**
 * For processes of tests that are not about numbers: takes the GPU's results on trust. Comparing them compiles shaders for ten seconds where the GPU is
 * emulated, in each process anew. Everything else is real.
 *
 *     node --import ./test/support/trust-gpu.mjs dist/cli/main.js ...
 */
import { register } from 'node:module'

const HOOKS = `
  export async function load(url, context, nextLoad) {
    if (!url.endsWith('/dist/engine/webgpu/verify-device.js')) return await nextLoad(url, context)
    return { format: 'module', shortCircuit: true, source: 'export async function verifyDevice() {}' }
  }`
register(`data:text/javascript,${encodeURIComponent(HOOKS)}`)
