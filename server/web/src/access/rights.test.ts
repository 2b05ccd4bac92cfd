import { expect, test } from 'vitest'
import type { Whoami } from '../api/whoami'
import { manages, reachesProject, readsAudit, rightsOf } from './rights'

const account = (more: Partial<Whoami> = {}): Whoami => ({
  ...{ kind: 'account', name: 'ada', mode: 'team', is_admin: false, roles: { ada: 'admin' }, scope: 'all' },
  ...{ shared: null, key: null, ...more },
})
const link = (kind: 'project' | 'run' | 'view' | 'report'): Whoami =>
  account({ kind: 'link', name: '', roles: {}, shared: { entity: 'lab', project: 'digits', kind, target: 'x' } })

test('the owner in personal mode may do everything', () => {
  const rights = rightsOf({ kind: 'owner' }, undefined)
  for (const right of ['log', 'edit', 'delete', 'delete_own', 'share', 'manage_project'] as const)
    expect(rights.has(right)).toBe(true)
})

test('nobody may do anything before the server has said who they are, or what they may do', () => {
  expect(rightsOf(undefined, ['edit']).size).toBe(0)
  expect(rightsOf(account(), undefined).size).toBe(0)
})

test('an account may do what the server says, and equal rights are one object', () => {
  const rights = rightsOf(account(), ['read', 'edit'])
  expect([...rights]).toEqual(['read', 'edit'])
  expect(rightsOf(account(), ['edit', 'read'])).toBe(rights)
})

test('a share link may change nothing, whatever the server says', () => {
  expect(rightsOf(link('project'), ['edit', 'delete']).size).toBe(0)
})

test('only admins of a team and server admins manage it', () => {
  expect(manages(account({ roles: { lab: 'admin' } }), 'lab')).toBe(true)
  expect(manages(account({ roles: { lab: 'member' } }), 'lab')).toBe(false)
  expect(manages(account({ is_admin: true }), 'lab')).toBe(true)
  expect(manages(account({ mode: 'personal', kind: 'owner', is_admin: true }), 'lab')).toBe(false)
  expect(manages(undefined, 'lab')).toBe(false)
})

test('an audit log is for server admins and those who manage something', () => {
  expect(readsAudit(account({ is_admin: true, roles: {} }))).toBe(true)
  expect(readsAudit(account({ roles: { lab: 'admin' } }))).toBe(true)
  expect(readsAudit(account({ roles: { lab: 'member' } }))).toBe(false)
})

test('a link to a run or report leads to no page of the project', () => {
  expect(reachesProject(link('project'))).toBe(true)
  expect(reachesProject(link('view'))).toBe(true)
  expect(reachesProject(link('run'))).toBe(false)
  expect(reachesProject(link('report'))).toBe(false)
  expect(reachesProject(account())).toBe(true)
})
