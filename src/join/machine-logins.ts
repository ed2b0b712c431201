import type { Evidence } from '#model/evidence.ts'
import type { NodeFacts, NodeRecord } from '#model/node/record.ts'
import { rfc3339Seconds } from '#model/time.ts'
import { withFacts } from '#model/with-facts.ts'
import type { Clock } from '#ports/clock.ts'
import type { Log } from '#ports/log.ts'
import type { MachineLogins, PreparedLogin } from '#ports/machine-logins.ts'
import { RemoteShellFailed, type LineEnd, type RemoteAddress, type RemoteSession, type RemoteShell } from '#ports/remote-shell.ts'
import { StoreUnavailable, type Store, type Transaction } from '#ports/store.ts'
import { startedLine } from './bootstrap-line.ts'

/** From the first packet until the machine has taken the line. */
export const LOGIN_PATIENCE_MS = 30_000
/** More logins than these wait for their turn. */
const AT_ONCE = 16
/** Announced and not ended, those that wait and those whose line runs among them. */
const MOST = 500
/** The script's own deadlines end before. */
const LONGEST_LINE_MS = 15 * 60_000
const WRITE_AGAIN_MS = 1_000
const LONGEST_TEXT = 1_000

export interface LoginParts {
  readonly region: string
  readonly store: Store
  readonly shell: RemoteShell
  /** The region's. */
  readonly clock: Pick<Clock, 'now'>
  /** In which a store that is away is waited for: the region's time may stand still. */
  readonly realTime: Pick<Clock, 'sleep'>
  readonly log: Log
  /** Ends with the process that runs the region. */
  readonly signal: AbortSignal
  /** ms of real time. */
  readonly patienceMs?: number
}

interface Login {
  readonly nodeId: string
  /** Aborted when its node is to go. */
  readonly stop: AbortController
}

type Secret = RemoteAddress & { readonly password: string }

/** Logs in to machines whose owners gave address and password, once each; the password lives in the arguments of one call and nowhere else. */
export class LoginsToMachines implements MachineLogins {
  readonly #parts: LoginParts
  readonly #underWay = new Map<string, Login>()
  readonly #waiting: (() => void)[] = []
  #busy = 0

  constructor(parts: LoginParts) {
    this.#parts = parts
  }

  prepare(nodeId: string): PreparedLogin | undefined {
    if (this.#underWay.size >= MOST) return undefined
    const login: Login = { nodeId, stop: new AbortController() }
    this.#underWay.set(nodeId, login)
    return {
      start: async (at, line) => {
        const written = this.#run(login, at, line)
        if (this.#parts.shell.isImmediate) await written
      },
      cancel: () => this.#forget(login),
    }
  }

  isUnderWay(nodeId: string): boolean {
    return this.#underWay.has(nodeId)
  }

  end(nodeId: string): void {
    this.#underWay.get(nodeId)?.stop.abort(new Error('the node is to go'))
  }

  #forget(login: Login): void {
    if (this.#underWay.get(login.nodeId) === login) this.#underWay.delete(login.nodeId)
  }

  async #run(login: Login, at: Secret, line: string): Promise<void> {
    const { log, region } = this.#parts
    const signal = AbortSignal.any([this.#parts.signal, login.stop.signal])
    try {
      const started = await this.#inTurn(signal, () => this.#logIn(login.nodeId, at, line, signal))
      const watched = (started ? this.#untilEnd(login, started, signal) : Promise.resolve()).finally(() => this.#forget(login))
      if (this.#parts.shell.isImmediate) await watched
    } catch (error) {
      this.#forget(login)
      // Whoever runs the region next finds the login begun and nobody under way with it.
      if (!signal.aborted) log.error({ region, node: login.nodeId, error: error instanceof Error ? error.message : String(error) }, 'Logging in to a machine ended unexpectedly')
    }
  }

  async #inTurn<Result>(signal: AbortSignal, act: () => Promise<Result>): Promise<Result> {
    if (this.#busy >= AT_ONCE) {
      const turn = Promise.withResolvers<void>()
      this.#waiting.push(turn.resolve)
      await turn.promise
    }
    this.#busy++
    try {
      signal.throwIfAborted()
      return await act()
    } finally {
      this.#busy--
      this.#waiting.shift()?.()
    }
  }

  /** Undefined where that failed, which is then written, or where the node is not wanted any more. */
  async #logIn(nodeId: string, at: Secret, line: string, signal: AbortSignal): Promise<{ session: RemoteSession; ended: Promise<LineEnd | undefined>; hide: Hide } | undefined> {
    const { shell, clock, log, region } = this.#parts
    const patienceMs = this.#parts.patienceMs ?? LOGIN_PATIENCE_MS
    const patience = AbortSignal.timeout(patienceMs), both = AbortSignal.any([signal, patience])
    const hide = hider(at.password), where = `${at.user}@${at.address}, port ${at.port}`, since = clock.now()
    let session: RemoteSession | undefined
    try {
      session = await shell.logIn(at, both)
      const fact = `Logged in as ${where}${keyOf(session)}.`
      const isWanted = await this.#write(nodeId, signal, ({ facts }, now) => facts.login && { facts: withFacts(facts, { login: { ...facts.login, loggedInAt: now } }), fact, source: `login at ${where}` })
      if (!isWanted) {
        session.close()
        return undefined
      }
      const { ended } = await session.start(startedLine(line), both)
      log.info({ region, node: nodeId, address: at.address, port: at.port, user: at.user, hostKey: session.hostKey }, 'Logged in to a machine')
      await this.#write(nodeId, signal, ({ facts }, now) => facts.login && {
        facts: withFacts(facts, { login: undefined, ...!facts.joinedAt && { progress: { step: 'contact', text: 'it was logged in to, and runs the onboarding script', at: now } } }),
        fact: 'The onboarding script was started.', source: `login at ${where}`,
      })
      return { session, ended, hide }
    } catch (error) {
      session?.close()
      if (signal.aborted) throw error
      const why = patience.aborted ? new RemoteShellFailed('NoAnswer', at, `it was not logged in within ${patienceMs / 1_000} s`) : error
      if (!(why instanceof RemoteShellFailed)) throw error
      const text = hide(why.message)
      log.info({ region, node: nodeId, address: at.address, port: at.port, why: text }, 'Logging in to a machine did not succeed')
      await this.#write(nodeId, signal, ({ facts }, now) => facts.login && !facts.joinedAt && {
        facts: withFacts(facts, { login: undefined, initialiseFailed: { step: 'login', text, at: now } }),
        fact: `Logging in as ${where}, begun at ${rfc3339Seconds(since)}, failed: ${text}.`, source: `login at ${where}`,
      })
      return undefined
    }
  }

  async #untilEnd({ nodeId }: Login, { session, ended, hide }: { session: RemoteSession; ended: Promise<LineEnd | undefined>; hide: Hide }, signal: AbortSignal): Promise<void> {
    const { log, region } = this.#parts
    const over = AbortSignal.any([signal, AbortSignal.timeout(LONGEST_LINE_MS)])
    try {
      const end = await Promise.race([ended, aborted(over)])
      if (end && end.exitCode !== 0) await this.#write(nodeId, signal, (node, now) => scriptEnded(node, { exitCode: end.exitCode, output: hide(end.output) }, now))
    } catch (error) {
      if (!signal.aborted) log.error({ region, node: nodeId, error: error instanceof Error ? error.message : String(error) }, 'Writing down how an onboarding script ended did not succeed')
    } finally {
      session.close()
    }
  }

  /** False: it is gone, or the news is none any more. A store that is away for a moment is waited for, as long as this process goes on. */
  async #write(nodeId: string, signal: AbortSignal, change: (node: NodeRecord, now: number) => LoginNews | undefined | false): Promise<boolean> {
    const { store, clock, realTime, region } = this.#parts
    for (;;) {
      signal.throwIfAborted()
      try {
        const now = clock.now()
        return await store.write(now, async tx => {
          const node = await tx.lockNode(nodeId)
          return node !== undefined && await writeNews(tx, node, change(node, now), now, region)
        })
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error
        await realTime.sleep(WRITE_AGAIN_MS, signal)
      }
    }
  }
}

interface LoginNews { readonly facts: NodeFacts; readonly fact: string; readonly source: string }

/** Writes down that the script on a machine that was logged in to ended before it was admitted; of other nodes nothing is written. */
export async function noteScriptEnd({ store, clock, region }: Pick<LoginParts, 'store' | 'clock' | 'region'>, nodeId: string, end: LineEnd): Promise<void> {
  const now = clock.now()
  await store.write(now, async tx => {
    const node = await tx.lockNode(nodeId)
    if (node?.spec.login && node.facts.joinedAt === undefined) await writeNews(tx, node, scriptEnded(node, end, now), now, region)
  })
}

async function writeNews(tx: Transaction, node: NodeRecord, news: LoginNews | undefined | false, now: number, region: string): Promise<boolean> {
  if (!news || node.facts.deletion) return false
  const evidence: Evidence = { observer: 'login', source: news.source, observedAt: now, fact: news.fact }
  await tx.changeNode(node.id, { facts: news.facts }, { evidence: [evidence] })
  await tx.enqueue({ kind: 'node', id: node.id, region })
  return true
}

/** What a script says before it was admitted only this connection hears; afterwards it reports by itself what stops it. */
function scriptEnded({ spec, facts }: NodeRecord, { exitCode, output }: LineEnd, now: number): LoginNews | undefined {
  if (facts.firstReadyAt !== undefined || facts.initialiseFailed !== undefined) return undefined
  const step = facts.joinedAt === undefined ? 'preflight' : facts.progress?.step ?? 'join'
  const text = output === '' ? `The onboarding script ended with ${exitCode} and said nothing` : output
  return {
    facts: withFacts(facts, { initialiseFailed: { step, text, at: now } }),
    source: `onboarding script on ${spec.login?.address ?? spec.name}`, fact: `It ended with ${exitCode}: ${text}`,
  }
}

type Hide = (text: string) => string

function keyOf({ hostKey }: RemoteSession): string {
  return hostKey === undefined ? '' : `, which showed the key ${hostKey}`
}

/** One line without control characters, in which the password, should a machine have said it, is left out. */
function hider(password: string): Hide {
  return text => text.replaceAll(password, '…').replaceAll(/\p{Cc}+/gu, ' ').trim().slice(-LONGEST_TEXT).replace(/\.$/, '')
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise(resolve => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}
