/** Names the quick model of the tests, which is ten times smaller than the one in the package and was trained at 112 pixels. */
import { join } from 'node:path'
import { packageRoot } from './repository.js'

export const MINI_FOLDER = join(packageRoot, 'models/mini')
const MINI_FILE = 'deit3_reg4_t14_tiny-imagenet.safetensors'
export const MINI = join(MINI_FOLDER, MINI_FILE)
