/** Prints the demo's chapters and steps on the terminal, and counts the steps. */
import pc from 'picocolors'

export type Narrator = ReturnType<typeof createNarrator>

/** A step of the demo failed. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed'
}

export function createNarrator(out: NodeJS.WriteStream = process.stdout) {
  const startedAt = performance.now()
  let steps = 0
  let liveLine = false
  const elapsed = (): string => pc.dim(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s`)
  const line = (text: string): void => {
    if (liveLine) out.write('\r\u001b[K')
    liveLine = false
    out.write(`${text}\n`)
  }

  return {
    title(text: string): void {
      line('')
      line(pc.bold(pc.cyan(`  ${text}`)))
      line(pc.dim(`  ${'─'.repeat(text.length)}`))
    },
    chapter(text: string, promise?: string): void {
      line('')
      line(`  ${pc.bold(text)}${promise ? pc.dim(`  (${promise})`) : ''}`)
    },
    /** Shows a slow operation; on a terminal the next line overwrites it. */
    progress(text: string): void {
      if (!out.isTTY) {
        line(`${elapsed()}    ${pc.dim(text)}`)
        return
      }
      out.write(`\r\u001b[K${elapsed()}  ${pc.dim(`… ${text}`)}`)
      liveLine = true
    },
    say(text: string): void {
      line(`${elapsed()}    ${text}`)
    },
    /** @throws StepFailed unless `passed` */
    step(text: string, passed: boolean, detail = ''): void {
      line(`${elapsed()}  ${passed ? pc.green('✓') : pc.red('✗')} ${text}${detail && pc.dim(`  ${detail}`)}`)
      if (!passed) throw new StepFailed(text)
      steps += 1
    },
    link(name: string, url: string): void {
      line(`              ${pc.dim(name.padEnd(22))} ${pc.underline(url)}`)
    },
    blank: () => line(''),
    steps: () => steps,
    seconds: () => Math.round((performance.now() - startedAt) / 100) / 10,
  }
}
