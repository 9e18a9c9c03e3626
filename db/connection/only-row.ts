/** The row of a statement that always returns one, such as a count. @throws when it has returned none */
export function onlyRow<Row>([row]: readonly Row[]): Row {
  if (row === undefined) throw new Error('a statement that always returns a row has returned none')
  return row
}
