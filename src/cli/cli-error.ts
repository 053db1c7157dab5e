/** A command throws one of these to end with another exit code than 0. `main.ts` prints the message and sets the code. */

/** The command line asks for something that cannot be: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The work is done, but for some of it: exit code 1. */
export class IncompleteError extends Error {
  override readonly name = 'IncompleteError'
}

/** Says that the person, or the system, asked to stop, with exit code 130. The message says what is kept and how to go on. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError'
}
