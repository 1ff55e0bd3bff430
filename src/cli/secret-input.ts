import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'

/** Lines of standard input; on a terminal each is prompted for, and not shown as it is typed. */
export async function readSecretLines(prompts: readonly string[]): Promise<string[]> {
  const { stdin, stderr } = process
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: stdin, output: nowhere, terminal: stdin.isTTY === true })
  const given: string[] = []
  try {
    if (stdin.isTTY) stderr.write(`${prompts[0]}: `)
    for await (const line of lines) {
      given.push(line.trim())
      if (stdin.isTTY) stderr.write('\n')
      if (given.length === prompts.length) break
      if (stdin.isTTY) stderr.write(`${prompts[given.length]}: `)
    }
  } finally {
    lines.close()
  }
  return given
}
