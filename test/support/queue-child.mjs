/**
 * Is a worker in a process of its own, for tests that kill it, shift its clock or count what it did.
 *
 *     node test/support/queue-child.mjs <hold|drain|postpone> <address> <job> <options as JSON>
 *
 * It prints a line of JSON for each part that it took, and for the error that ended it. `hold` keeps the first one until it is killed; `postpone` gives it back for a while, and takes no other; `drain` does them all.
 */
import { openJobQueue } from '../../dist/platform/node/jobs/open-job-queue.js'

const [what, address, job, options] = process.argv.slice(2)
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

async function hold(queue) {
  for (;;) {
    const claim = await queue.take()
    if (claim === null) continue
    claim.lost.addEventListener('abort', () => say({ lost: claim.lost.reason.code }))
    say({ task: claim.task, deaths: claim.deaths })
    return new Promise((resolve) => setTimeout(resolve, 600_000))
  }
}

async function postpone(queue) {
  const claim = await queue.take()
  await claim.giveBack({ delayMs: 300 })
  say({ task: claim.task, deaths: claim.deaths })
}

async function drain(queue) {
  for (let claim = await queue.take(); claim !== null; claim = await queue.take()) {
    await claim.done()
    say({ task: claim.task, deaths: claim.deaths })
  }
}

try {
  const queue = await openJobQueue(address, job, JSON.parse(options))
  await { hold, drain, postpone }[what](queue)
  await queue[Symbol.asyncDispose]()
} catch (error) {
  say({ code: error.code, message: error.message })
}
