/**
 * Holds all systems to an instruction set that is less than what the processor has, so that one machine can stand in for another: Plumage is told its
 * path, and the others by the switches of the libraries that they multiply with. onnxruntime has none, and its int8 may use AMX where others may not.
 */
import { dist } from './dist.mjs'
import { FLAGS } from './machine.mjs'

const { nativeAvailability } = await dist('platform/node/native/index.js')

/** `flags` are those that are left. @type {Record<string, { instructionSet: string, flags: string[], environment: Record<string, string> }>} */
const HOLDS = {
  avx512: {
    // A load would take this one if there were no AMX.
    instructionSet: nativeAvailability().instructionSets?.find((set) => set !== 'amx'),
    flags: FLAGS.filter((flag) => !flag.startsWith('amx')),
    environment: { ONEDNN_MAX_CPU_ISA: 'AVX512_CORE_BF16', DNNL_MAX_CPU_ISA: 'AVX512_CORE_BF16' },
  },
  avx2: {
    instructionSet: 'avx2',
    flags: ['avx2', 'fma'],
    environment: {
      ONEDNN_MAX_CPU_ISA: 'AVX2',
      DNNL_MAX_CPU_ISA: 'AVX2',
      ATEN_CPU_CAPABILITY: 'avx2',
      MKL_ENABLE_INSTRUCTIONS: 'AVX2',
    },
  },
}

/** Sets what the processes to come inherit. Gives null where nothing is held. */
export function holdTo(name) {
  if (name === undefined) return null
  const hold = HOLDS[name]
  if (hold === undefined) throw new Error(`--hold-to ${name}: there are ${Object.keys(HOLDS).join(', ')}.`)
  Object.assign(process.env, hold.environment)
  return { ...hold, name }
}

/** Describes the machine by what is left of it. */
export function heldMachine(machine, hold) {
  if (hold === null) return machine
  const left = machine.flags.split(' ').filter((flag) => hold.flags.includes(flag))
  return { ...machine, cpu: `${machine.cpu}, held to ${hold.name}`, flags: left.join(' '), held: hold.name }
}
