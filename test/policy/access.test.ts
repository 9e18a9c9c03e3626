/** Who may do what: written a second time, since the tests of the console and of service keys ask the same tables. */
import { describe, expect, test } from 'vitest'
import { isServiceScope, serviceScopes } from '../../policy/access/service-scopes.ts'
import { allowances, mostDevices } from '../../policy/allowances.ts'
import { roleByClaim } from '../../policy/operators/openid-roles.ts'
import { isPermitted, type OperatorPermission, operatorRoles } from '../../policy/operators/operator-roles.ts'

const permissions: readonly OperatorPermission[] = ['look', 'tasks', 'orders', 'money', 'privacy', 'everything']

test('an operator has a role, and each role is listed', () => {
  expect([...operatorRoles]).toEqual(['support', 'finance', 'privacy', 'admin'])
})

test.each([
  ['support', 'look tasks orders money'],
  ['finance', 'look tasks money'],
  ['privacy', 'look tasks privacy'],
  ['admin', 'look tasks orders money privacy everything'],
] as const)('the role %s may: %s', (role, meant) => {
  expect(permissions.filter((permission) => isPermitted(role, permission)).join(' ')).toBe(meant)
})

test('a service key has the scopes that are listed, and no other word is one', () => {
  expect(Object.keys(serviceScopes)).toEqual(['read', 'orders', 'accounts', 'erasure', 'events'])
  expect(Object.keys(serviceScopes).every(isServiceScope)).toBe(true)
  expect(['', 'Read', 'everything', 'toString', '__proto__'].some(isServiceScope)).toBe(false)
})

test('U5: each allowance has the number and the time of this list', () => {
  const [minute, hour, day] = [60_000, 3_600_000, 86_400_000]
  expect(allowances).toEqual({
    order: { most: 40, withinMs: hour },
    resend: { most: 10, withinMs: hour },
    privacy_request: { most: 25, withinMs: day },
    email_change: { most: 5, withinMs: day },
    sign_in_link: { most: 3, withinMs: 15 * minute },
    export: { most: 20, withinMs: hour },
    sign_in: { most: 100, withinMs: hour },
    give_back: { most: 50, withinMs: day },
    withdrawal: { most: 50, withinMs: day },
  })
  expect(mostDevices).toBe(20)
})

describe('the role of a person at the OpenID provider', () => {
  const roles = new Map([
    ['a', 'admin'],
    ['b', 'support'],
  ] as const)

  test.each<[string, Record<string, unknown>, string, string | undefined]>([
    ['is the first of ours that one of the values has', { groups: ['b', 'a'] }, 'groups', 'admin'],
    ['may be a single value', { groups: 'b' }, 'groups', 'support'],
    ['may be in a claim within claims', { realm: { roles: ['b'] } }, 'realm.roles', 'support'],
    ['may be in a claim that is an address', { 'https://x.example/roles': ['a'] }, 'https://x.example/roles', 'admin'],
    ['is none without the claim', {}, 'groups', undefined],
    ['is none when the claim is empty', { groups: null }, 'groups', undefined],
    ['is none when the claim is an object', { groups: { a: true } }, 'groups', undefined],
    ['is none for other words', { groups: ['A', ''] }, 'groups', undefined],
    ['is none for a list within a list', { groups: [['a']] }, 'groups', undefined],
    ['is none where the way leads through a text', { realm: 'a' }, 'realm.length', undefined],
    ['is none where the way leads through nothing', { realm: null }, 'realm.roles', undefined],
    ['is none where the way leads through a missing claim', {}, 'realm.roles', undefined],
    ['is not what every object has', {}, 'constructor.name', undefined],
    ['is not what every claim has', { realm: {} }, 'realm.constructor.name', undefined],
  ])('%s', (_name, claims, claim, role) => {
    expect(roleByClaim(claims, claim, roles)).toBe(role)
  })

  test('is not a name that every object has, either', () => {
    const named = new Map([['Object', 'admin']] as const)
    expect(roleByClaim({ realm: {} }, 'realm.constructor.name', named)).toBeUndefined()
    expect(roleByClaim({}, 'constructor.name', named)).toBeUndefined()
  })
})
