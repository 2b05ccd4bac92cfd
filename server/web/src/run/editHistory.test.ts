import { expect, test } from 'vitest'
import { changedIn } from './EditHistory'

test('edits name what they changed', () => {
  const edit = {
    time: 1,
    user: 'ada',
    changes: { meta: { name: 'best', job_type: 'eval' }, config: { lr: 1 }, stop: {} },
  }
  expect(changedIn(edit)).toEqual(['name', 'Job type', 'config', 'stop request'])
})
