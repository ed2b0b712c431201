import type { IncomingMessage } from 'node:http'

export interface ServerSentEvent { readonly id: string; readonly data: string }

/** A line that says nothing comes every quarter of a minute; where none does the connection is gone, though nobody said so. */
const SILENCE_MS = 60_000

/**
 * The events of a stream, in the form that browsers read (HTML, server-sent events): blocks of `name: value` lines, each ended by an empty line; a line that begins with a colon is a comment. `onId` is told each
 * position, also one without data, which is no event. Ends with the stream, however that ends: what was cut off in the midst of a block is not given.
 */
export async function* eventsOf(stream: IncomingMessage, onId: (id: string) => void): AsyncGenerator<ServerSentEvent> {
  stream.setEncoding('utf8')
  stream.setTimeout(SILENCE_MS, () => stream.destroy())
  let rest = '', id = ''
  let data: string[] = []
  for await (const text of chunksOf(stream)) {
    const lines = (rest + text).split(/\r?\n/)
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const [, name, value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? []
      if (name === 'id') id = value
      else if (name === 'data') data.push(value)
      if (line !== '') continue
      if (data.length > 0) yield { id, data: data.join('\n') }
      // After it was taken: whoever breaks off while it has an event has not missed it.
      if (id !== '') onId(id)
      data = []
    }
  }
}

async function* chunksOf(stream: IncomingMessage): AsyncGenerator<string> {
  try {
    for await (const chunk of stream) yield chunk as string
  } catch {
    // Cut off: as where it ended.
  }
}
