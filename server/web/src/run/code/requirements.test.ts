import { expect, test } from 'vitest'
import { parseRequirements } from './requirements'

test('pinned, direct and editable packages', () => {
  const text = [
    'absl-py==2.5.1',
    '',
    '# a comment',
    'torch==2.9.0+cu128',
    'mine @ git+https://github.com/a/b@83eeee8#subdirectory=x',
    '-e file:///home/me/project  # project==0.1.dev0',
    'odd entry',
  ].join('\n')
  expect(parseRequirements(text)).toEqual([
    { name: 'absl-py', version: '2.5.1', source: '' },
    { name: 'torch', version: '2.9.0+cu128', source: '' },
    { name: 'mine', version: '', source: 'git+https://github.com/a/b@83eeee8#subdirectory=x' },
    { name: 'project', version: '0.1.dev0', source: 'file:///home/me/project' },
    { name: 'odd entry', version: '', source: '' },
  ])
})
