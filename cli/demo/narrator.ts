/** Prints the demo's chapters and steps on the terminal, and counts the steps. */
import pc from 'picocolors'
import { type PromiseId, promises } from '../../policy/promises.ts'
import { cut, labelled, wrapped } from '../terminal-lines.ts'

export type Narrator = ReturnType<typeof createNarrator>

/** A step of the demo failed. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed'
}

/** A terminal or a pipe. */
export interface Output {
  write(text: string): unknown
  isTTY?: boolean
  columns?: number
}

export function createNarrator(out: Output = process.stdout) {
  const startedAt = performance.now()
  let steps = 0
  let liveLine = false
  const elapsed = (): string => pc.dim(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s`)
  const line = (text: string): void => {
    if (liveLine) out.write('\r\u001b[K')
    liveLine = false
    out.write(`${text}\n`)
  }
  const lines = (head: string, text: string): void => {
    for (const each of wrapped(head, text, out.columns)) line(each)
  }

  return {
    title(text: string): void {
      line('')
      for (const each of wrapped('  ', text, out.columns)) line(pc.bold(pc.cyan(each)))
      line(pc.dim(`  ${'─'.repeat(Math.min(text.length, (out.columns ?? 80) - 2))}`))
    },
    /** Begins a chapter. @param kept the promises that it shows, which are printed with their words */
    chapter(text: string, ...kept: PromiseId[]): void {
      line('')
      for (const each of wrapped('  ', text, out.columns)) line(pc.bold(each))
      for (const id of kept)
        for (const each of wrapped('  ', `${id}: ${promises[id].sentence}`, out.columns)) line(pc.dim(each))
    },
    /** Shows a slow operation; on a terminal the next line overwrites it. */
    progress(text: string): void {
      if (!out.isTTY) {
        lines(`${elapsed()}    `, text)
        return
      }
      out.write(`\r\u001b[K${elapsed()}  ${pc.dim(cut(`… ${text}`, (out.columns ?? 80) - 11))}`)
      liveLine = true
    },
    say(text: string): void {
      lines(`${elapsed()}    `, text)
    },
    /** @throws StepFailed unless `passed` */
    step(text: string, passed: boolean, detail = ''): void {
      lines(`${elapsed()}  ${passed ? pc.green('✓') : pc.red('✗')} `, detail ? `${text}  ${detail}` : text)
      if (!passed) throw new StepFailed(text)
      steps += 1
    },
    link(name: string, url: string): void {
      for (const each of labelled(name, pc.underline(url), { indent: 12, columns: out.columns })) line(each)
    },
    blank: () => line(''),
    steps: () => steps,
    seconds: () => Math.round((performance.now() - startedAt) / 100) / 10,
  }
}
