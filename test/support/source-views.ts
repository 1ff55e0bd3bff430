/**
 * A TypeScript source seen three ways. Each view has the length and the line breaks of the source, with blanks where
 * the other views have their characters; quotes belong to `code`, regular expressions to none.
 */
export type SourceViews = { readonly code: string; readonly strings: string; readonly comments: string }

export type ImportSite = {
  /** Undefined where the name is computed. */
  readonly specifier: string | undefined
  readonly at: number
}

type Kind = 'code' | 'string' | 'comment' | 'regex'

const comment = /\/\/.*|\/\*[\s\S]*?\*\//y
const quoted = /'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*"/y
const regex = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y
// A template's text: from its opening quote or the brace that ends a substitution, to the next substitution or its end.
const templatePart = /[`}](?:\\[\s\S]|\$(?!\{)|[^`\\$])*(?:`|\$\{)/y
const regexMayFollow =
  /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of|yield|await|throw|new|void|else))\s*$/

export function viewsOf(source: string): SourceViews {
  const kinds: Kind[] = []
  const openBraces: number[] = []
  const tokenAt = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = kinds.length
    return pattern.exec(source)?.[0]
  }
  const mark = (token: string, kind: Kind, quotesBefore = 0, quotesAfter = 0): void => {
    for (let at = 0; at < token.length; at++) {
      kinds.push(at < quotesBefore || at >= token.length - quotesAfter ? 'code' : kind)
    }
  }

  while (kinds.length < source.length) {
    const character = source[kinds.length] ?? ''
    const endsSubstitution = character === '}' && openBraces.at(-1) === 0
    const commentToken = tokenAt(comment)
    const quotedToken = tokenAt(quoted)
    const templateToken = character === '`' || endsSubstitution ? tokenAt(templatePart) : undefined
    const regexToken = character === '/' ? tokenAt(regex) : undefined
    if (commentToken !== undefined) {
      mark(commentToken, 'comment')
    } else if (quotedToken !== undefined) {
      mark(quotedToken, 'string', 1, 1)
    } else if (templateToken !== undefined) {
      const opensSubstitution = templateToken.endsWith('${')
      mark(templateToken, 'string', 1, opensSubstitution ? 2 : 1)
      if (endsSubstitution) openBraces.pop()
      if (opensSubstitution) openBraces.push(0)
    } else if (regexToken !== undefined && regexMayFollow.test(view(source, kinds, 'code').slice(-200))) {
      mark(regexToken, 'regex')
    } else {
      const depth = openBraces.pop()
      if (depth !== undefined) openBraces.push(depth + (character === '{' ? 1 : character === '}' ? -1 : 0))
      mark(character, 'code')
    }
  }
  return {
    code: view(source, kinds, 'code'),
    strings: view(source, kinds, 'string'),
    comments: view(source, kinds, 'comment'),
  }
}

function view(source: string, kinds: readonly Kind[], shown: Kind): string {
  let text = ''
  for (let at = 0; at < kinds.length; at++) {
    const character = source[at] ?? ''
    text += kinds[at] === shown || character === '\n' ? character : ' '
  }
  return text
}

const importForms = /\b(?:import|export)\b[^'"`;()]*?\bfrom\s*['"]|\bimport\s*['"]|\bimport\s*\(\s*(?:['"`])?/g

/** Every static, re-exporting and dynamic import, types included. */
export function importsOf(source: string, { code }: SourceViews): readonly ImportSite[] {
  return [...code.matchAll(importForms)].map(form => {
    const start = form.index + form[0].length
    const quote = /['"]$/.exec(form[0])?.[0]
    return {
      at: form.index,
      specifier: quote === undefined ? undefined : source.slice(start, source.indexOf(quote, start)),
    }
  })
}

/** 1 for the first line. */
export const lineAt = (source: string, at: number): number => source.slice(0, at).split('\n').length
