/** Whole signed HTTP requests as texts, for the load generator. */
import { versionOf } from '#client/calls.ts'
import { canonicalQuery, signedHeaders } from '#client/sign.ts'

export interface Signer { readonly endpoint: string; readonly region: string; readonly accessKeyId: string; readonly secretAccessKey: string }

/** Address, headers and body of one signed call. */
export function signedCall({ endpoint, region, accessKeyId, secretAccessKey }: Signer, action: string, body: object): { readonly path: string; readonly headers: Readonly<Record<string, string>>; readonly text: string } {
  const query = { Action: action, Version: versionOf(action) }
  const text = JSON.stringify(body)
  return { path: `/?${canonicalQuery(query)}`, headers: signedHeaders(new URL(endpoint).host, query, text, { accessKeyId, secretAccessKey }, { region, service: 'veecp_openapi' }, Date.now()), text }
}

/** Ready to be written to a socket. */
export function signedRequest(signer: Signer, action: string, body: object): string {
  const { path, headers, text } = signedCall(signer, action, body)
  const head = Object.entries({ ...headers, 'content-length': String(Buffer.byteLength(text)) }).map(([key, value]) => `${key}: ${value}\r\n`).join('')
  return `POST ${path} HTTP/1.1\r\n${head}\r\n${text}`
}
