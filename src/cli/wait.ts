import { ApiError } from '#client/errors.ts'
import type { Explanation, Status } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'
import { realTime, type WaitingTime } from '#client/waiting-time.ts'
import { CommandFailed, WaitedInVain } from './errors.ts'
import { tell } from './print.ts'
import { goesOnBy, standsStill } from './standing-clock.ts'
import { sentence, statusWords } from './text/words.ts'

const LOOK_EVERY_MS = 500

/**
 * Waits until a resource shows one of these phases, telling each change with its reason on standard error. A Failed that only a call can end
 * ends the wait with its reason; one that heals by itself is waited out.
 */
export async function waitForPhase(client: EdgeholdClient, what: string, id: string, phases: readonly string[], timeoutMs: number, time = realTime): Promise<Explanation> {
  let told = ''
  return until(client, timeoutMs, `${what} did not become ${phases.join(' or ')}`, async () => {
    const explanation = await client.call('ExplainStatus', { Id: id })
    told = tellOnce(told, what, explanation)
    if (phases.includes(explanation.Status.Phase)) return explanation
    if (explanation.Status.Phase === 'Failed' && !explanation.Exits.some(exit => exit.By === 'cause')) {
      throw new CommandFailed(`${what} failed: ${sentence(explanation.Because)} Only a deletion leads out: see "edgehold explain" and "edgehold history".`)
    }
    return undefined
  }, time)
}

/** Waits until a resource is gone. */
export async function waitUntilGone(client: EdgeholdClient, what: string, id: string, timeoutMs: number, time = realTime): Promise<void> {
  let told = ''
  await until(client, timeoutMs, `${what} was not gone`, async () => {
    try {
      const explanation = await client.call('ExplainStatus', { Id: id })
      told = tellOnce(told, what, explanation)
      if (explanation.Status.Phase === 'Failed') throw new CommandFailed(`${what} could not be deleted: ${sentence(explanation.Because)} Delete it again once that is mended.`)
      return undefined
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) {
        tell(`${what}: gone`)
        return true
      }
      throw error
    }
  }, time)
}

const REFUSED_FOR_NOW: ReadonlySet<string> = new Set(['OperationDenied.ClusterStatus', 'OperationDenied.NodePoolStatus', 'OperationDenied.NodeStatus'])

/** Makes a call; where the caller waits anyway, a refusal for what is under way is waited out, too. */
export async function callWhenAccepted(client: EdgeholdClient, options: { wait: boolean; timeoutMs: number; what: string; time?: WaitingTime }, call: () => Promise<unknown>): Promise<void> {
  let told = ''
  let refusal: ApiError | undefined
  if (!options.wait) {
    await call()
    return
  }
  try {
    await until(client, options.timeoutMs, `${options.what} was not accepted`, async () => {
      try {
        await call()
        return true
      } catch (error) {
        // What stood in the way was the very deletion that is asked for, and it came to its end.
        if (refusal && error instanceof ApiError && error.status === 404) return true
        if (!(error instanceof ApiError) || !REFUSED_FOR_NOW.has(error.code)) throw error
        refusal = error
        if (error.message !== told) tell(`not yet: ${error.message}`)
        told = error.message
        return undefined
      }
    }, options.time)
  } catch (error) {
    if (error instanceof WaitedInVain && refusal) throw new WaitedInVain(`${error.message} ${refusal.message}`, { cause: refusal, hint: error.hint })
    throw error
  }
}

/** Asks again and again until there is an answer, and tells where the region's clock stands still: it may be let go on from elsewhere. Throws WaitedInVain with the sentence. */
export async function until<Answer>(client: EdgeholdClient, timeoutMs: number, inVain: string, ask: () => Promise<Answer | undefined>, time = realTime): Promise<Answer> {
  const deadline = time.now() + timeoutMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    const isStanding = await standsStill(client)
    if (time.now() >= deadline) {
      const within = `${inVain} within ${Math.round(timeoutMs / 1000)} s`
      throw isStanding ? new WaitedInVain(`${within}: the clock of the region ${client.region} stands still.`, { hint: `It goes on when the clock does: ${goesOnBy(client)}.` }) : new WaitedInVain(`${within}.`)
    }
    await time.sleep(LOOK_EVERY_MS)
  }
}

function tellOnce(told: string, what: string, seen: { readonly Status: Status; readonly Because: string }): string {
  const line = `${what}: ${statusWords(seen.Status)}, ${sentence(seen.Because)}`
  if (line !== told) tell(line)
  return line
}
