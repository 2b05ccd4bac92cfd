import { expect, test } from 'vitest'
import { partsOf } from './noteParts'

test('text and panels are split in order', () => {
  const parts = partsOf('# A\n\n```panel\nkey: loss\n```\nmore [x][1]\n\n```python\n1\n```\n\n[1]: /y')
  expect(parts).toMatchObject([
    { kind: 'text', html: '<h1>A</h1>\n' },
    { kind: 'panel', source: 'key: loss' },
    { kind: 'text', html: expect.stringContaining('<a href="/y">x</a>') as string },
  ])
  expect((parts[2] as { html: string }).html).toContain('<code class="language-python">')
})

test('headings move below those of the page, at most to the lowest level', () => {
  expect(partsOf('# a\n\n##### b', 2)).toEqual([{ kind: 'text', html: '<h3>a</h3>\n<h6>b</h6>\n' }])
})

test('HTML stays text, inline and as a block', () => {
  const html = partsOf('a <img src=x onerror="f()"> &amp; b\n\n<div style="x">\n**c**\n</div>')
    .map((part) => (part.kind === 'text' ? part.html : ''))
    .join('')
  expect(html).toContain('a &lt;img src=x onerror="f()"&gt; &amp; b')
  expect(html).toContain('&lt;div style="x"&gt;')
  expect(html).not.toMatch(/<(img|div)/)
})

test('an empty text has no parts', () => {
  expect(partsOf('')).toEqual([])
})

test('deeply nested quotes and lists cost no more than flat ones', () => {
  for (const text of [
    '>'.repeat(2000) + ' deep',
    '> '.repeat(100_000) + 'deep',
    '- '.repeat(2000) + 'deep',
    Array.from({ length: 700 }, (_, i) => ' '.repeat(2 * i) + '- deep').join('\n'),
  ]) {
    const [part] = partsOf(text)
    expect(part!.kind === 'text' && part!.html).toContain('deep')
  }
})
