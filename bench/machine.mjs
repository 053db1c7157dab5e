/** Describes the machine that was measured on. */
import { readFileSync } from 'node:fs'
import os from 'node:os'

/** All other work may take so many cores beside a timing: beyond that the timing is made again, or the disturbance told. */
export const DISTURBED = 0.3

export const FLAGS = ['avx2', 'fma', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'amx_bf16', 'amx_int8']

export function describeMachine() {
  return {
    cpu: os.cpus()[0].model.trim(),
    flags: cpuFlags(),
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.platform()} ${os.arch()}`,
    node: process.version,
  }
}

/** Names the GPU that WebGPU takes in Node. Throws without one. */
export async function describeGpu() {
  const { create } = await import('webgpu')
  const gpu = create([])
  const { device, description, vendor, architecture } = (
    await gpu.requestAdapter({ powerPreference: 'high-performance' })
  ).info
  return [device, description, `${vendor} ${architecture}`].filter((text) => text.trim() !== '').join('; ')
}

function cpuFlags() {
  try {
    const all = new Set(/^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))[1].trim().split(' '))
    return FLAGS.filter((flag) => all.has(flag)).join(' ')
  } catch {
    return 'unknown'
  }
}

/** Counts the bytes that can still be had without swapping. */
export function availableMemory() {
  try {
    return 1024 * Number(/^MemAvailable:\s*(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))[1])
  } catch {
    return os.freemem()
  }
}
