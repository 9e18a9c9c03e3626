/** Tells the demo's story on the terminal, and keeps count of what held. */
import pc from 'picocolors'

export type Narrator = ReturnType<typeof createNarrator>

/** A step of the story that did not come true. */
export class StoryBroken extends Error {
  override readonly name = 'StoryBroken'
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
    /** something slow is under way; on a terminal the line is overwritten by the next */
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
    /** @throws StoryBroken unless `held` */
    step(text: string, held: boolean, detail = ''): void {
      line(`${elapsed()}  ${held ? pc.green('✓') : pc.red('✗')} ${text}${detail && pc.dim(`  ${detail}`)}`)
      if (!held) throw new StoryBroken(text)
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
