/** A text of a source: what stands between quotes or in a pattern, as the program has it. */
export interface SourceText { readonly text: string; readonly line: number }

/** `code`: all that is neither a comment nor within a text. */
export interface Source { readonly code: string; readonly texts: readonly SourceText[] }

/** Stands in a text for what is put in while the program runs. */
export const PUT_IN = '\uFFFC'
/** Stands in the code where a text was. */
const A_TEXT = '§'

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', v: '\v', 0: '\0', '\n': '' }
/** After these a slash begins a pattern; after others it divides. */
const BEFORE_A_PATTERN = /(?:^|[([{}),;=:!&|?+\-*%~^<>]|\b(?:return|typeof|case|in|of|delete|void|throw|new))\s*$/
const AFTER_A_VALUE = /[\])}]\s*$/

/** Takes a TypeScript source apart. Texts that are added to each other as they stand are one; those in what is put into a template stand by themselves. */
export function sourceOf(source: string): Source {
  return new Reader(source).read()
}

class Reader {
  readonly #source: string
  readonly #texts: SourceText[] = []
  #code = ''
  #at = 0
  #line = 1
  /** How long the code was behind the last text. */
  #end = -1

  constructor(source: string) {
    this.#source = source
  }

  read(): Source {
    this.#untilClosed()
    return { code: this.#code, texts: this.#texts }
  }

  /** To the bracket that closes what was opened before, or to the end. */
  #untilClosed(): void {
    let depth = 0
    for (let char = this.#next(); char !== ''; char = this.#next()) {
      if (char === '}' && depth === 0) return
      if (char === "'" || char === '"') this.#text(() => this.#quoted(char))
      else if (char === '`') this.#text(() => this.#template())
      else if (char === '/' && this.#sees('/')) this.#pass('\n')
      else if (char === '/' && this.#sees('*')) this.#pass('*/')
      else if (char === '/' && BEFORE_A_PATTERN.test(this.#code.slice(-20)) && !AFTER_A_VALUE.test(this.#code.slice(-20))) this.#text(() => this.#pattern())
      else {
        if (char === '{') depth++
        else if (char === '}') depth--
        // Blanks keep words apart, and nothing else.
        if (!/\s/.test(char)) this.#code += char
        else if (/\w$/.test(this.#code)) this.#code += ' '
      }
    }
  }

  #text(read: () => string): void {
    const line = this.#line
    const first = this.#code.slice(this.#end) === '+' ? this.#texts.pop() : undefined
    const text = read()
    this.#texts.push(first ? { text: first.text + text, line: first.line } : { text, line })
    this.#code += A_TEXT
    this.#end = this.#code.length
  }

  #quoted(quote: string): string {
    let text = ''
    for (let char = this.#next(); char !== quote && char !== ''; char = this.#next()) text += char === '\\' ? this.#escaped() : char
    return text
  }

  #template(): string {
    let text = ''
    for (let char = this.#next(); char !== '`' && char !== ''; char = this.#next()) {
      if (char === '$' && this.#sees('{')) {
        this.#next()
        this.#code += '('
        this.#untilClosed()
        this.#code += ')'
        text += PUT_IN
      } else text += char === '\\' ? this.#escaped() : char
    }
    return text
  }

  #pattern(): string {
    let text = '', isClass = false
    for (let char = this.#next(); (char !== '/' || isClass) && char !== '\n' && char !== ''; char = this.#next()) {
      if (char === '[') isClass = true
      else if (char === ']') isClass = false
      text += char === '\\' ? char + this.#next() : char
    }
    return text
  }

  #escaped(): string {
    const char = this.#next()
    const [whole, braced, plain] = (char === 'x' ? /^()?([0-9a-f]{2})/i : /^(?:\{([0-9a-f]+)\}|([0-9a-f]{4}))/i).exec(this.#source.slice(this.#at, this.#at + 10)) ?? []
    if ((char === 'x' || char === 'u') && whole) {
      this.#at += whole.length
      return String.fromCodePoint(Number.parseInt(braced ?? plain ?? '', 16))
    }
    return ESCAPES[char] ?? char
  }

  #next(): string {
    const char = this.#source[this.#at++] ?? ''
    if (char === '\n') this.#line++
    return char
  }

  #sees(char: string): boolean {
    return this.#source[this.#at] === char
  }

  #pass(end: string): void {
    const found = this.#source.indexOf(end, this.#at + (end === '*/' ? 1 : 0))
    while (this.#at < (found === -1 ? this.#source.length : found + (end === '\n' ? 0 : end.length))) this.#next()
  }
}
