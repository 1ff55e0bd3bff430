import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'

const output = JSON.stringify(new URL('./buffered-output.ts', import.meta.url).href)
const argumentsOf = (program: string): string[] => [
  '--input-type=module',
  '-e',
  `import { bufferedOutput } from ${output}\nconst output = bufferedOutput()\n${program}`,
]

test('all lines are written in their order, also those of the last moment', () => {
  const program = `for (let line = 0; line < 20_000; line++) output.write(line + ' ' + 'x'.repeat(20) + '\\n')
process.exit(3)`
  const { stdout, status } = spawnSync(process.execPath, argumentsOf(program), { encoding: 'utf8' })
  expect(status).toBe(3)
  const lines = stdout.split('\n')
  expect(lines.pop()).toBe('')
  expect(lines.map(line => line.split(' ')[0])).toEqual(Array.from({ length: 20_000 }, (_, line) => String(line)))
})

test('a line is written although no other follows', async () => {
  const child = spawn(process.execPath, argumentsOf("output.write('alone\\n')\nprocess.stdin.resume()"))
  const [text] = await once(child.stdout, 'data')
  expect(String(text)).toBe('alone\n')
  child.stdin.end()
  const [status] = await once(child, 'exit')
  expect(status).toBe(0)
})
