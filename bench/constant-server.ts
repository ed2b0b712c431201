/** The baseline of `calls`: a bare node:http server that answers every request with the same text, with or without our check of its signature before. */
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import { DayKeys } from '#api/signature/day-keys.ts'
import { parseQuery } from '#api/signature/canonical.ts'
import { verifySignature } from '#api/signature/verify.ts'

const [port = '0', file = '', secret] = process.argv.slice(2)
const text = readFileSync(file)
const verifier = { findAccessKey: async () => ({ accountId: 'bench', secret: secret ?? '' }), dayKeys: new DayKeys(), realNow: () => Date.now() }
const headers = { 'content-type': 'application/json; charset=utf-8', 'content-length': text.length }

const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    if (secret === undefined) return void response.writeHead(200, headers).end(text)
    const url = request.url ?? ''
    verifySignature({ method: request.method ?? '', path: '/', query: parseQuery(url.slice(url.indexOf('?') + 1)) ?? [], headers: request.headers, body: Buffer.concat(chunks) }, verifier)
      .then(() => response.writeHead(200, headers).end(text), () => response.writeHead(401, { 'content-length': 0 }).end())
  })
})
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('listening\n'))
