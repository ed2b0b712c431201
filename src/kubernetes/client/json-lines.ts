const NEWLINE = 10

/** The JSON value of each line of a stream, however the chunks are cut. */
export async function* jsonLines<T>(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<T> {
  let rest: Uint8Array[] = []
  const decoder = new TextDecoder()
  for await (const chunk of chunks) {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      rest.push(chunk.subarray(from, end))
      from = end + 1
      const line = rest.length === 1 && rest[0] ? decoder.decode(rest[0]) : decoder.decode(Buffer.concat(rest))
      rest = []
      if (line !== '') yield JSON.parse(line) as T
    }
    if (from < chunk.length) rest.push(chunk.subarray(from))
  }
}
