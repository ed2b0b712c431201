import { isPassing, isWaitedForAlike, leavesNothing, type KeptPlay, type PlayEnd, type PlayState } from '#api/scenarios/kept-play.ts'
import type { Player } from '#api/scenarios/player.ts'
import { isRefusal } from '#model/errors/catalogue.ts'
import type { Log } from '#ports/log.ts'
import type { Store } from '#ports/store.ts'
import type { SimulatedRegionFace } from './face.ts'
import { changePlay, type Plays } from './plays.ts'
import { settingsOf, withSettings } from './settings.ts'
import { systemClock } from '../system-clock.ts'

export interface Playing {
  readonly region: string
  readonly store: Store
  readonly face: SimulatedRegionFace
  readonly log: Log
  /** Here as soon as the server takes calls. */
  readonly player: Promise<Player>
  readonly plays: Pick<Plays, 'isWaitedFor'>
}

/** So often in turn it goes wrong at one step with what may pass, such as a call that is refused for now or a database that is away; then its caller is told. */
const MOST_FAILURES = 5
/** So often in turn it is begun, or gone on with, at one step: what ended it each time said nothing, and that was perhaps the step itself. */
const MOST_TURNS = 20
const AGAIN_MS = 500

/** A play in a region of its own was interrupted: it begins anew in the emptied region, under another opening. It concerns no other region. */
export class BeginsAnew extends Error {}

/** Somebody else has the play by now, or nobody. */
class PlayGone extends Error {}

/** Plays what the record of a region keeps, for as long as this process runs the region. Throws BeginsAnew where a play can only begin anew, which takes another opening. */
export async function keepPlaying(playing: Playing, signal: AbortSignal): Promise<void> {
  const { face, store, region, plays } = playing
  const player = await Promise.race([playing.player, ended(signal)])
  while (player && !signal.aborted) {
    const followed = face.followed()
    const { play } = face.settings
    const isOver = play?.end !== undefined && leavesNothing(play)
    if (play && !play.end) await playOn(playing, play, player, signal)
    // Its server died before it was answered, or while the region was being removed.
    else if (play && isOver && !await plays.isWaitedFor(play)) await removeLeft(playing, play)
    if (face.settings.play !== play) continue
    await Promise.race([followed, ended(signal), ...(isOver ? [systemClock.sleep(AGAIN_MS, signal).catch(() => undefined)] : [])]) // aborted: looked at above
    // Another server was called.
    if (!signal.aborted) await store.findRegion(region).then(record => { if (record) face.follow(settingsOf(record)) }, () => undefined) // away: looked at again
  }
}

async function playOn(playing: Playing, { id, anew }: KeptPlay, player: Player, signal: AbortSignal): Promise<void> {
  if (anew) throw new BeginsAnew('A repeat of its call lets a scenario begin anew')
  const { region, log } = playing
  const play = await change(playing, there => there?.id === id && !there.end ? { ...there, turn: there.turn + 1, begun: begunOnceMore(there) } : undefined)
  if (!play) return
  const givenUp = isBegunTooOften(play) ? new Error(`it was begun ${MOST_TURNS} times ${play.fresh ? 'from the beginning' : `at its step ${play.begun.step + 1}`} and came no further, as where its server dies each time`) : undefined
  // Nothing is wrong with what it asks for: it may be taken at the next try.
  let reached = play.fresh ? 0 : play.state?.step ?? 0
  const failures = (): NonNullable<KeptPlay['failures']> => {
    const { times, step } = play.failures ?? { times: 0, step: -1 }
    return reached > step ? { times: 1, step: reached } : { times: times + 1, step }
  }
  const isEnd = (error: unknown): boolean => !(error instanceof PlayGone) && (givenUp !== undefined || failures().times >= MOST_FAILURES || (isRefusal(error) && !isPassing(error)))
  const put = async (more: Partial<KeptPlay>): Promise<void> => {
    // What the user's own orders, or a repeat of the call, wrote meanwhile stays.
    if (!await change(playing, there => there?.id === id && there.turn === play.turn && !there.end ? { ...there, ...more } : undefined)) throw new PlayGone()
  }
  let end: { readonly state?: PlayState; readonly end: PlayEnd }
  try {
    end = await player({ region, play, keep: state => {
      reached = Math.max(reached, state.step)
      return put({ state })
    }, isEnd, signal, ...givenUp && { givenUp } })
  } catch (error) {
    if (error instanceof PlayGone || signal.aborted) return
    const facts = { region, scenario: play.order.scenario, error }
    if (!isRefusal(error)) log.error(facts, 'Playing a scenario did not succeed')
    else if (isPassing(error)) log.warn(facts, 'A scenario was refused a call for now')
    if (!isEnd(error)) {
      const isGone = await put({ failures: failures() }).then(() => false, (cause: unknown) => {
        log.debug({ region, error: cause }, 'A failure of a scenario could not be kept')
        return cause instanceof PlayGone
      })
      if (isGone || signal.aborted) return
      if (play.fresh) throw new BeginsAnew('A scenario begins anew', { cause: error })
      return systemClock.sleep(AGAIN_MS, signal).catch(() => undefined) // aborted: it is over here
    }
    end = { end: isRefusal(error) ? { refusal: { code: error.code, parameters: error.parameters, message: error.message } } : { failed: error instanceof Error ? error.message : String(error) } }
  }
  while (!signal.aborted) {
    try {
      return await put(end)
    } catch (error) {
      if (error instanceof PlayGone) return
      log.warn({ region, error }, 'The end of a scenario could not be kept yet')
      await systemClock.sleep(AGAIN_MS, signal).catch(() => undefined) // aborted: the loop ends
    }
  }
}

function begunOnceMore({ fresh, state, begun }: KeptPlay): NonNullable<KeptPlay['begun']> {
  const step = fresh ? 0 : state?.step ?? 0
  return { times: begun?.step === step ? begun.times + 1 : 1, step }
}

function isBegunTooOften(play: KeptPlay): play is KeptPlay & { readonly begun: NonNullable<KeptPlay['begun']> } {
  return play.begun !== undefined && play.begun.times > MOST_TURNS
}

async function removeLeft({ region, store, face }: Playing, left: KeptPlay): Promise<void> {
  const next = await store.write(systemClock.now(), async tx => {
    const record = await tx.lockRegion(region)
    const play = record && settingsOf(record).play
    if (!record || play?.id !== left.id || !isWaitedForAlike(play, left)) return undefined
    const marked = { ...withSettings(record, { deleting: true }), ready: false, text: 'it is being deleted' }
    await tx.putRegion(marked)
    return marked
  })
  if (next) face.follow(settingsOf(next))
}

function change({ store, face, region }: Playing, next: Parameters<typeof changePlay>[2]): ReturnType<typeof changePlay> {
  return changePlay({ store, faceOf: () => face }, region, next)
}

function ended(signal: AbortSignal): Promise<undefined> {
  return new Promise(resolve => {
    if (signal.aborted) resolve(undefined)
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}
