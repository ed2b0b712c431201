/** The time in which clients wait: real, but in tests. `now` is in ms and means nothing but by its differences. */
export interface WaitingTime {
  now(): number
  sleep(ms: number): Promise<void>
}

export const realTime: WaitingTime = {
  now: () => performance.now(),
  sleep: ms => new Promise(resolve => { setTimeout(resolve, ms) }),
}
