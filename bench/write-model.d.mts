import type { Checkpoint } from '../src/checkpoint/checkpoint.js'
export function writeModel(checkpoint: Checkpoint, path: string): Promise<string>
