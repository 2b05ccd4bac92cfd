import { expect, test } from 'vitest'
import { environmentOf, originOf, pageOf, quoted } from './environment'

test('a commit has a web page, for remotes with https and ssh', () => {
  expect(pageOf('https://github.com/a/b.git', 'f00')).toBe('https://github.com/a/b/commit/f00')
  expect(pageOf('git@gitlab.example.com:a/b/c.git')).toBe('https://gitlab.example.com/a/b/c')
  expect(pageOf('ssh://git@example.com:2222/a/b')).toBe('https://example.com/a/b')
  for (const odd of [undefined, '/srv/git/x.git', 'file:///x', 'javascript:alert(1)', 'https://x y/a']) {
    expect(pageOf(odd)).toBeNull()
  }
})

test('a command is quoted for the shell', () => {
  const { command } = environmentOf({ command: ['python', 'a b.py', "it's", '--x=1', ''] })
  expect(command).toBe("python 'a b.py' 'it'\\''s' --x=1 ''")
  expect(quoted('$(rm)')).toBe("'$(rm)'")
})

test('members of the wrong type are dropped', () => {
  expect(environmentOf({ host: 3, gpus: 'x', git: [], cpu: null, left_out: 1, files: {} })).toMatchObject({
    ...{ host: undefined, gpus: [], git: undefined, cpu: undefined, leftOut: {}, files: [] },
  })
})

test('the origin of a fork is parsed', () => {
  expect(originOf('me/my project/k3v9x2m1?_step=500')).toEqual({
    entity: 'me',
    project: 'my project',
    id: 'k3v9x2m1',
    step: '500',
  })
  expect(originOf('k3v9x2m1')).toBeNull()
})
