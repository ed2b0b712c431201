/**
 * One way out of a status. `call`: an action, whose name comes first in the text, accepted in this status; `cause`: what has to happen in the world.
 */
export type Exit = readonly [by: 'call' | 'cause', what: string]

/** Ways out of every row of a table; a row without one does not type-check. */
export type Exits<RowKey extends string> = Readonly<Record<RowKey, readonly [Exit, ...Exit[]]>>
