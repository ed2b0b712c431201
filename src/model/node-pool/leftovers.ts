/** A machine of a claim that a pool tried, as far as it goes whether it can be taken back. */
export interface Leftover {
  readonly name: string
  readonly machineId?: string
  readonly obstacle?: { readonly because: string; readonly held?: true }
}

/** It is there, and nothing of it is gone: its provider refused to take it back. */
export function isWhole({ machineId, obstacle }: Leftover): boolean {
  return machineId !== undefined && obstacle?.held === true
}

/** Part of a sentence. */
export function leftoverText({ name, machineId, obstacle }: Leftover): string {
  return `${machineId === undefined ? `what may be left of the machine ${name}` : `the machine ${name}, which is there,`} cannot be taken back: ${obstacle?.because ?? 'it is still there'}`
}
