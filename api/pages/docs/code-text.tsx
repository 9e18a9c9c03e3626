/** A sentence in which backticks mark code. */
export function CodeText({ text }: { text: string }) {
  const parts = text.split('`').map((part, index) => ({ part, index, isCode: index % 2 === 1 }))
  return (
    <>
      {parts.map(({ part, index, isCode }) =>
        isCode ? <code key={index}>{part}</code> : <span key={index}>{part}</span>,
      )}
    </>
  )
}
