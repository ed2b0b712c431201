import { hash } from 'node:crypto'
import type { AnyAuthMethod, Client, ClientChannel, NextAuthHandler } from 'ssh2'
import { RemoteShellFailed, type LineEnd, type RemoteAddress, type RemoteFailure, type RemoteSession, type RemoteShell } from '#ports/remote-shell.ts'

type Secret = RemoteAddress & { readonly password: string }

const LONGEST_OUTPUT = 4_096
/** A machine that is gone is noticed after so long. */
const KEEPALIVE = { keepaliveInterval: 15_000, keepaliveCountMax: 4 } as const

/** Machines by SSH. Nothing is known of a machine before, so that any key that it shows is taken; its fingerprint is told. */
export class SshShell implements RemoteShell {
  async logIn(at: Secret, signal: AbortSignal): Promise<RemoteSession> {
    const { default: ssh2 } = await import('ssh2') // few servers ever need it
    signal.throwIfAborted()
    const client = new ssh2.Client()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    let hostKey: string | undefined
    const onAbort = (): void => {
      reject(signal.reason as Error)
      client.destroy()
    }
    client.on('ready', resolve)
    // It stays: what comes after the login ends the session by its 'close'.
    client.on('error', (error: SshError) => { reject(failureOf(error, at)) })
    client.on('close', () => { reject(new RemoteShellFailed('Closed', at)) })
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      client.connect({
        host: at.address, port: at.port, username: at.user, authHandler: handlerOf(at), readyTimeout: 0, ...KEEPALIVE,
        hostVerifier: (key: Buffer) => {
          hostKey = `SHA256:${hash('sha256', key, 'base64').replace(/=+$/, '')}`
          return true
        },
      })
      await promise
    } catch (error) {
      client.destroy()
      throw error
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
    return { ...hostKey !== undefined && { hostKey }, start: (line, patience) => start(client, at, line, patience), close: () => { client.end() } }
  }
}

/** The password is shown once, by whichever of its two ways the machine takes. */
function handlerOf({ user, password }: Secret): (methodsLeft: string[] | null, partial: boolean | null, next: NextAuthHandler) => void {
  let shown = false
  return (methodsLeft, _partial, next) => {
    const way = methodsLeft === null ? 'none' : shown ? undefined : (['password', 'keyboard-interactive'] as const).find(method => methodsLeft.includes(method))
    if (way === undefined) return next(false as unknown as AnyAuthMethod)
    if (way === 'none') return next({ type: 'none', username: user })
    shown = true
    if (way === 'password') return next({ type: 'password', username: user, password })
    let asked = false
    return next({
      type: 'keyboard-interactive', username: user,
      prompt: (_name, _instructions, _language, prompts, answer) => {
        answer(prompts.map(({ echo }) => (echo || asked ? '' : password)))
        asked ||= prompts.length > 0
      },
    })
  }
}

interface SshError extends Error { readonly level?: string; readonly code?: string }

const FAILURES: Readonly<Record<string, RemoteFailure | undefined>> = {
  ECONNREFUSED: 'Refused', EHOSTUNREACH: 'Unreachable', ENETUNREACH: 'Unreachable', EHOSTDOWN: 'Unreachable', ETIMEDOUT: 'NoAnswer', ENOTFOUND: 'NameUnknown', EAI_AGAIN: 'NameUnknown',
}

function failureOf(error: SshError, at: RemoteAddress): RemoteShellFailed {
  if (error.level === 'client-authentication') return new RemoteShellFailed('Denied', at, undefined, { cause: error })
  const as = FAILURES[error.code ?? '']
  return as ? new RemoteShellFailed(as, at, undefined, { cause: error }) : new RemoteShellFailed('Closed', at, error.message, { cause: error })
}

/**
 * The line runs apart from the connection: neither its end nor what cannot be written any more ends it. Its last words are kept until it has ended, and then said.
 * The user's own shell may be of any kind, so that it only has to start `sh`.
 */
function wrapped(line: string): string {
  // Ignored signals are inherited, so that they are ignored once the line has begun.
  const apart = `L=$(mktemp) || exit 1; $(command -v setsid) sh -c ${quoted(line)} > "$L" 2>&1 < /dev/null & trap '' HUP PIPE; wait $!; C=$?; tail -c ${LONGEST_OUTPUT} "$L"; rm -f "$L"; exit $C`
  return `exec sh -c ${quoted(apart)}`
}

function quoted(text: string): string {
  return `'${text.replaceAll(`'`, `'\\''`)}'`
}

async function start(client: Client, at: RemoteAddress, line: string, signal: AbortSignal): Promise<{ ended: Promise<LineEnd | undefined> }> {
  signal.throwIfAborted()
  const begun = Promise.withResolvers<{ ended: Promise<LineEnd | undefined> }>()
  const lost = (): void => { begun.reject(new RemoteShellFailed('Closed', at)) }
  const onAbort = (): void => {
    begun.reject(signal.reason as Error)
    client.destroy()
  }
  client.once('close', lost)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    client.exec(wrapped(line), (error, channel) => {
      if (error) begun.reject(new RemoteShellFailed('NoShell', at, undefined, { cause: error }))
      else begun.resolve({ ended: endOf(client, channel) }) // at once: a short line's end is in the same packet
    })
    return await begun.promise
  } catch (error) {
    client.destroy()
    throw error
  } finally {
    client.off('close', lost)
    signal.removeEventListener('abort', onAbort)
  }
}

function endOf(client: Client, channel: ClientChannel): Promise<LineEnd | undefined> {
  const { promise, resolve } = Promise.withResolvers<LineEnd | undefined>()
  let output = Buffer.alloc(0), exitCode: number | undefined
  const keep = (chunk: Buffer): void => { output = Buffer.concat([output, chunk]).subarray(-LONGEST_OUTPUT) }
  channel.on('data', keep)
  channel.stderr.on('data', keep)
  // Without a code it was ended by a signal.
  channel.on('exit', (code: number | null) => { exitCode = code ?? 128 })
  const end = (): void => { resolve(exitCode === undefined ? undefined : { exitCode, output: output.toString('utf8').trim() }) }
  channel.on('close', end)
  client.on('close', end)
  channel.end()
  return promise
}
