import { describe, expect, test } from 'vitest'
import { csvLine, decimal } from '../../shared/csv.ts'

describe('a cell of a CSV line', () => {
  test.each([
    [null, ''],
    [12, '12'],
    [-12.5, '-12.5'],
    ['-12.50', '-12.50'],
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['a"b', '"a""b"'],
    ['a\nb', '"a\nb"'],
    ['a\rb', '"a\rb"'],
    ['=1+1', "'=1+1"],
    ['+1', "'+1"],
    ['@x', "'@x"],
    ['-x', "'-x"],
    ['=1-2', "'=1-2"],
    ['+x-1.5', "'+x-1.5"],
    ['-', "'-"],
    ['-1x', "'-1x"],
    ['x-1', 'x-1'],
    ['\tx', "'\tx"],
    ['\rx', '"\'\rx"'],
    ['=a,"b"', '"\'=a,""b"""'],
    ['\n=1+1', '"\'\n=1+1"'],
    [' =1+1', "' =1+1"],
    ['\u200b=1+1', "'\u200b=1+1"],
    ['＝1+1', "'＝1+1"],
    ['＠x', "'＠x"],
    [' -1', "' -1"],
  ])('%j is %j', (value, expected) => {
    expect(csvLine([value])).toBe(`${expected}\r\n`)
  })
})

test('the cells of a CSV line are separated by commas', () => {
  expect(csvLine(['a', null, 1])).toBe('a,,1\r\n')
})

test.each([
  [1_234, 2, '12.34'],
  [-1_234, 2, '-12.34'],
  [4, 2, '0.04'],
  [-4, 2, '-0.04'],
  [0, 2, '0.00'],
  [990, 0, '990'],
  [-990, 0, '-990'],
  [0, 0, '0'],
  [1_234, 3, '1.234'],
  [9_007_199_254_740_993n, 2, '90071992547409.93'],
])('the amount %s with %i decimal places is %s', (minor, digits, expected) => {
  expect(decimal(minor, digits)).toBe(expected)
})
