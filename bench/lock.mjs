/** Lets several who measure on one machine take turns. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Runs the action while this process holds the lock file, by util-linux's `flock`; at once where no file is named. */
export async function withLock(path, action) {
  if (path === undefined) return action()
  const holder = spawn('flock', [path, 'sh', '-c', 'echo held; cat'], { stdio: ['pipe', 'pipe', 'inherit'] })
  await Promise.race([once(holder.stdout, 'data'), once(holder, 'close').then(refuse)])
  try {
    return await action()
  } finally {
    holder.stdin.end()
    await once(holder, 'close')
  }

  function refuse() {
    throw new Error(`flock ended before it held ${path}.`)
  }
}
