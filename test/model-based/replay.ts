import { play, StoryWrong } from './play.ts'
import type { Step } from './player.ts'

/** Plays one story again, as a failing run printed it: `node test/model-based/replay.ts '[seed, beginning, steps]'`; leaves out whatever the failure does not need. */
async function failure(seed: number, steps: readonly Step[]): Promise<Error | undefined> {
  return await play(seed, steps).then(() => undefined, (error: unknown) => (error instanceof Error ? error : new Error(String(error))))
}

const [seed, beginning, drawn] = JSON.parse(process.argv[2] ?? '[0,[],[]]') as [number, Step[], Step[]]
let steps = [...beginning, ...drawn]
let worst = await failure(seed, steps)
for (let size = Math.ceil(steps.length / 2); worst && size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
  for (let at = 0; at < steps.length;) {
    const fewer = steps.toSpliced(at, size)
    const still = await failure(seed, fewer)
    if (still instanceof StoryWrong) [steps, worst] = [fewer, still]
    else at += size
  }
}
process.stdout.write(worst ? `${worst.message}\n${JSON.stringify([seed, [], steps])}\n` : 'It ends as the rules say.\n')
