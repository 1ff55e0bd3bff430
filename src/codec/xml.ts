/** An element of an XML document. Text between elements is not kept: packager files have nothing there. */
export type XmlElement = {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlElement[]
  /** Where its tag begins, from 1. */
  readonly line: number
}

/** Not well-formed, or beyond what is read here. */
export class XmlError extends Error {
  readonly line: number

  constructor(line: number, problem: string) {
    super(`line ${line}: ${problem}`)
    this.name = 'XmlError'
    this.line = line
  }
}

const depthMax = 32
const namePattern = /[A-Za-z_:][\w:.-]*/y
const spacePattern = /\s*/y
/** Quoted texts may have its delimiters, and so may comments in its subset. */
const doctypePattern =
  /<!DOCTYPE(?:"[^"]*"|'[^']*'|[^>["'])*(?:\[(?:"[^"]*"|'[^']*'|<!--[\s\S]*?-->|<(?!!--)|[^\]"'<])*\]\s*)?>/y
const entityPattern = /&([^;&]*);?/g
const namedEntities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/**
 * The root element of an XML 1.0 document as packager files use it: elements, attributes, comments, a declaration and
 * a DOCTYPE without entities of its own. Nothing outside the text is ever read. Throws XmlError.
 */
export function parseXml(text: string): XmlElement {
  const reader = new XmlReader(text)
  reader.skipMisc()
  const root = reader.element(0)
  reader.skipMisc()
  reader.expectEnd()
  return root
}

class XmlReader {
  readonly #text: string
  #at: number

  constructor(text: string) {
    this.#text = text
    this.#at = text.startsWith('\ufeff') ? 1 : 0
  }

  element(depth: number): XmlElement {
    const start = this.#at
    if (depth === depthMax) throw this.#error(`elements are nested deeper than ${depthMax}`)
    if (!this.#take('<')) throw this.#error('an element was expected here')
    const name = this.#name('an element')
    const attributes = this.#attributes(name)
    const line = this.#lineAt(start)
    if (this.#take('/>')) return { name, attributes, children: [], line }
    if (!this.#take('>')) throw this.#error(`the tag of ${name} is not closed`)
    const children = this.#children(name, depth, start)
    return { name, attributes, children, line }
  }

  /** Everything around the root: declarations, comments, DOCTYPE, white space. */
  skipMisc() {
    for (;;) {
      this.#match(spacePattern)
      if (this.#skipComment()) continue
      if (!this.#text.startsWith('<!DOCTYPE', this.#at)) return
      this.#skipDoctype()
    }
  }

  expectEnd() {
    if (this.#at < this.#text.length) throw this.#error('something stands after the root element')
  }

  #children(name: string, depth: number, start: number) {
    const children: XmlElement[] = []
    for (;;) {
      const next = this.#text.indexOf('<', this.#at)
      if (next < 0) throw new XmlError(this.#lineAt(start), `${name} is not closed`)
      this.#checkText(this.#text.slice(this.#at, next))
      this.#at = next
      if (this.#skipComment() || this.#skip('<![CDATA[', ']]>')) continue
      if (!this.#take('</')) {
        children.push(this.element(depth + 1))
        continue
      }
      const closed = this.#name('an element')
      if (closed !== name) throw this.#error(`</${closed}> closes ${name} of line ${this.#lineAt(start)}`)
      this.#match(spacePattern)
      if (!this.#take('>')) throw this.#error(`the closing tag of ${name} does not end`)
      return children
    }
  }

  /** Text is not kept; an entity could stand for elements. */
  #checkText(text: string) {
    text.replace(entityPattern, (entity, code: string) => this.#entity(entity, code))
  }

  #attributes(element: string) {
    const attributes = new Map<string, string>()
    for (;;) {
      this.#match(spacePattern)
      if (this.#at >= this.#text.length) throw this.#error(`the tag of ${element} does not end`)
      if (this.#text[this.#at] === '>' || this.#text.startsWith('/>', this.#at)) return attributes
      const name = this.#name(`an attribute of ${element}`)
      this.#match(spacePattern)
      if (!this.#take('=')) throw this.#error(`the attribute ${name} has no value`)
      this.#match(spacePattern)
      if (attributes.has(name)) throw this.#error(`the attribute ${name} stands twice`)
      attributes.set(name, this.#attributeValue(name))
    }
  }

  #attributeValue(name: string) {
    const quote = this.#text[this.#at]
    if (quote !== '"' && quote !== "'") throw this.#error(`the value of ${name} is not in quotes`)
    const end = this.#text.indexOf(quote, this.#at + 1)
    if (end < 0) throw this.#error(`the value of ${name} does not end`)
    const raw = this.#text.slice(this.#at + 1, end)
    if (raw.includes('<')) throw this.#error(`the value of ${name} has a <, or does not end`)
    const value = raw.replace(entityPattern, (entity, code: string) => this.#entity(entity, code))
    this.#at = end + 1
    return value.replace(/\s/g, ' ')
  }

  #entity(entity: string, code: string) {
    const named = entity.endsWith(';') ? namedEntities[code] : undefined
    if (named !== undefined) return named
    const [, hexadecimal, decimal] = /^&#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}));$/.exec(entity) ?? []
    const point = Number.parseInt(hexadecimal ?? decimal ?? '', hexadecimal === undefined ? 10 : 16)
    if (!(point > 0 && point <= 0x10ffff)) throw this.#error(`${entity} is not an entity that is known here`)
    return String.fromCodePoint(point)
  }

  #skipComment() {
    return this.#skip('<!--', '-->') || this.#skip('<?', '?>')
  }

  /** To its >, past an internal subset in brackets. */
  #skipDoctype() {
    const start = this.#at
    const doctype = this.#match(doctypePattern)
    if (doctype === '') throw this.#error('the DOCTYPE does not end')
    if (doctype.includes('<!ENTITY')) throw new XmlError(this.#lineAt(start), 'a DOCTYPE with entities is not read')
  }

  #skip(opening: string, closing: string) {
    if (!this.#text.startsWith(opening, this.#at)) return false
    const end = this.#text.indexOf(closing, this.#at + opening.length)
    if (end < 0) throw this.#error(`${opening} is not closed by ${closing}`)
    this.#at = end + closing.length
    return true
  }

  #name(what: string) {
    const name = this.#match(namePattern)
    if (name === '') throw this.#error(`the name of ${what} was expected here`)
    return name
  }

  #take(text: string) {
    if (!this.#text.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }

  #match(pattern: RegExp) {
    pattern.lastIndex = this.#at
    const matched = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += matched.length
    return matched
  }

  #lineAt(at: number) {
    return this.#text.slice(0, at).split('\n').length
  }

  #error(problem: string) {
    return new XmlError(this.#lineAt(this.#at), problem)
  }
}
