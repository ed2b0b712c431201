/** Log lines are for engineers: capital letter, -ing before the act, facts as fields. */
export interface Log {
  debug(facts: object, text: string): void
  info(facts: object, text: string): void
  warn(facts: object, text: string): void
  error(facts: object, text: string): void
  child(facts: object): Log
}
