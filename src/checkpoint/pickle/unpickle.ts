/**
 * Reads a pickle without running it: tensors, storages and plain values come out, anything else is refused by name.
 *
 * A loop walks a table and never recurses; how deep the values nest is bounded by those who walk them (`plain-converter.ts`).
 */
import { CheckpointError } from '../checkpoint-error.js'
import { OPCODES, REFUSED, STOP } from './opcodes.js'
import { pickleMachine } from './pickle-machine.js'
import type { PickleStorage, PickleValue } from './pickle-value.js'

interface Unpickled {
  readonly value: PickleValue
  /** Counts the bytes up to and including the pickle's STOP. */
  readonly length: number
  /** Holds every storage that the pickle speaks of by its key, used by a tensor or not. */
  readonly storages: ReadonlyMap<string, PickleStorage>
}

/**
 * Reads the first pickle in `bytes`; `label` names the file in errors.
 * Throws `forbidden` (naming the global), `truncated`, `too-large` or `malformed`.
 */
export function unpickle(bytes: Uint8Array, label: string): Unpickled {
  const machine = pickleMachine(bytes, label)
  for (;;) {
    const opcode = machine.bytes.u8()
    if (opcode === STOP) {
      return { value: machine.pop(), length: machine.bytes.position(), storages: machine.storages }
    }
    const run = OPCODES.get(opcode)
    if (run === undefined) refuseOpcode(label, opcode, machine.bytes.position() - 1)
    else run(machine)
  }
}

function refuseOpcode(label: string, opcode: number, position: number): never {
  const name = REFUSED.get(opcode)
  if (name !== undefined) {
    throw new CheckpointError(
      'forbidden',
      `${label}: the pickle uses ${name} at ${position}, which no state dict needs; nothing was run. ` +
        'Save the state dict alone: torch.save(model.state_dict(), path)',
    )
  }
  const shown = opcode.toString(16).padStart(2, '0')
  throw new CheckpointError(
    'malformed',
    `${label}: the byte ${shown} at ${position} of the pickle is no instruction`,
  )
}
