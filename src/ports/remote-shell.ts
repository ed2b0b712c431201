/**
 * Machines that are known by their address and a password. One is logged in to once, to start one line there; the password is an argument, and no implementation
 * keeps it, logs it or puts it into an error.
 */
export interface RemoteShell {
  /** It takes no time but the region's own, so that whoever logs in waits for it. */
  readonly isImmediate?: true
  /** Shows the password once. Throws RemoteShellFailed, or the signal's reason when aborted. */
  logIn(at: RemoteAddress & { readonly password: string }, signal: AbortSignal): Promise<RemoteSession>
}

export interface RemoteAddress {
  /** An IPv4 address or a host name. */
  readonly address: string
  readonly port: number
  readonly user: string
}

export interface RemoteSession {
  /** Fingerprint of the key by which the machine showed who it is, e.g. `SHA256:…`; undefined where it shows none. */
  readonly hostKey?: string
  /**
   * Starts a line for a POSIX shell; resolves once the machine has taken it. It goes on when the session ends. `ended`: how it ended, or undefined where that is
   * not told here; it never rejects. Throws RemoteShellFailed, or the signal's reason when aborted.
   */
  start(line: string, signal: AbortSignal): Promise<{ readonly ended: Promise<LineEnd | undefined> }>
  close(): void
}

/** `output`: the last that it said, at most 4 KiB. */
export interface LineEnd { readonly exitCode: number; readonly output: string }

/** `Closed`: the machine ended the connection, or is no SSH server. `NoShell`: it let the user in and starts nothing for them. */
export type RemoteFailure = 'NameUnknown' | 'Refused' | 'Unreachable' | 'NoAnswer' | 'Closed' | 'Denied' | 'NoShell'

/** A machine could not be logged in to, in words that people know from ssh. */
export class RemoteShellFailed extends Error {
  readonly kind = 'RemoteShellFailed'
  readonly as: RemoteFailure
  /** `detail`: what is known besides; it is put behind the words. */
  constructor(as: RemoteFailure, { address, port, user }: RemoteAddress, detail?: string, options?: ErrorOptions) {
    super(`${words()}${detail === undefined ? '' : `: ${detail}`}`, options)
    this.as = as

    function words(): string {
      switch (as) {
        case 'NameUnknown': return `ssh: Could not resolve hostname ${address}: Name or service not known`
        case 'Refused': return `ssh: connect to host ${address} port ${port}: Connection refused`
        case 'Unreachable': return `ssh: connect to host ${address} port ${port}: No route to host`
        case 'NoAnswer': return `ssh: connect to host ${address} port ${port}: Connection timed out`
        case 'Closed': return `Connection closed by ${address} port ${port}`
        case 'Denied': return `${user}@${address}: Permission denied (password)`
        case 'NoShell': return `${user}@${address}: no command is taken`
      }
    }
  }
}
