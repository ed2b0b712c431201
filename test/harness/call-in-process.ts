import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { CallAnswerer } from '#api/answer-calls.ts'

/** A POST as it arrives, and the response as it leaves, with no socket and no parser between: thousands of calls a second in one process. Rejects where the connection is cut instead of an answer. */
export function callInProcess(answerer: CallAnswerer, { url, headers, body }: { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly body: string }): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    let status = 0
    const request = Object.assign(new Readable({ read: () => {} }), { method: 'POST', url, headers })
    const response = {
      writeHead(code: number) {
        status = code
        return response
      },
      end(text: string | Buffer) {
        resolve({ status, text: text.toString() })
      },
      destroy() {
        reject(new Error('response destroyed before completion'))
      },
    }
    answerer.answer(request as unknown as IncomingMessage, response as unknown as ServerResponse)
    request.push(body)
    request.push(null)
  })
}
