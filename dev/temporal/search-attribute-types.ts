import { searchAttributes } from '../../shared/search-attributes.ts'
import type { SearchAttributeType } from './temporal.ts'

const typeNames: Record<string, SearchAttributeType> = {
  TEXT: 'Text',
  KEYWORD: 'Keyword',
  INT: 'Int',
  DOUBLE: 'Double',
  BOOL: 'Bool',
  DATETIME: 'Datetime',
  KEYWORD_LIST: 'KeywordList',
}

/** The workflows' search attributes in the form that the server needs. */
export const searchAttributeTypes: Readonly<Record<string, SearchAttributeType>> = Object.fromEntries(
  Object.values(searchAttributes).map(({ name, type }) => {
    const typeName = typeNames[type]
    if (!typeName) throw new Error(`search attribute ${name}: the type ${type} is unknown here`)
    return [name, typeName]
  }),
)
