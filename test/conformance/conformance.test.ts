/**
 * Tries what all engines owe in one file of tests, the goldens with it, so that each engine is made once and each of a GPU's shaders compiled once: an
 * emulation of one takes seconds for both. `npm test -- test/conformance -t 'contract'` runs a part, and with `-t 'goldens'` the goldens.
 */
import '../golden/goldens.js'
import './attention-weights.js'
import './contract.js'
import './functions.js'
import './network.js'
import './ops.js'
import './webgpu-lifecycle.js'
