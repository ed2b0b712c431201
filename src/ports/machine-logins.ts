import type { RemoteAddress } from './remote-shell.ts'

/** The logins of the process that runs a region. What is in them, passwords above all, is gone with the process; a node's record tells that one was to be. */
export interface MachineLogins {
  /** Announces the login of a node before its record is committed, so that nobody takes it for one of a process that died. Undefined: there are too many. */
  prepare(nodeId: string): PreparedLogin | undefined
  /** It was announced here, and has not ended. */
  isUnderWay(nodeId: string): boolean
  /** The node is to go: its login ends where it is. */
  end(nodeId: string): void
}

export interface PreparedLogin {
  /** Logs in, starts the line and writes down what became of it. Resolves at once, or where that takes no real time once it is written. */
  start(at: RemoteAddress & { readonly password: string }, line: string): Promise<void>
  /** The record was not committed. */
  cancel(): void
}
