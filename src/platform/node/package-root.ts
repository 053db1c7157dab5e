/** Says where this package lies on disk. Sources and built files stand equally deep, so both find it. */
import { fileURLToPath } from 'node:url'

export const packageRoot = fileURLToPath(new URL('../../../', import.meta.url))
