import { expect, test } from 'vitest'

const sheets = import.meta.glob<string>('./**/*.css', { query: '?raw', import: 'default', eager: true })
const code = import.meta.glob<string>(['./**/*.ts', './**/*.tsx', '!./**/*.test.ts', '!./api/schema.d.ts'], {
  query: '?raw',
  import: 'default',
  eager: true,
})
const components = Object.entries(code).filter(([path]) => path.endsWith('.tsx'))

/** Return `path:line: text` of all matches outside of comments. */
function found(files: [string, string][], pattern: RegExp): string[] {
  return files.flatMap(([path, text]) =>
    text
      .split('\n')
      .flatMap((line, i) =>
        pattern.test(line) && !/^\s*(\/\/|\/?\*)/.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : [],
      ),
  )
}

/** The address of a module that a component imports */
const resolved = (from: string, to: string) => `./${new URL(to, `http://x/${from}`).pathname.slice(1)}`

test('only tokens.ts has colors', () => {
  const elsewhere = Object.entries({ ...sheets, ...code }).filter(
    ([path]) => path !== './tokens.ts' && !path.startsWith('./strings/'),
  )
  expect(found(elsewhere, /#[0-9a-f]{3,8}\b|\b(rgba?|hsla?)\([\d\s]|light-dark\(/i)).toEqual([])
})

test('spacings and radii of style sheets are tokens', () => {
  expect(
    found(Object.entries(sheets), /(padding|margin|gap|border-radius)[\w-]*:.*(?<![\w.-])([2-9]|\d\d+)px/),
  ).toEqual([])
})

test('every class of a module is used, and every used class exists', () => {
  const missing: string[] = []
  const used = new Set<string>()
  for (const [path, text] of components) {
    for (const [, name, to] of text.matchAll(/import (\w+) from '(\S+\.module\.css)'/g)) {
      const module = resolved(path, to!)
      for (const [, member] of text.matchAll(new RegExp(`\\b${name}\\.(\\w+)`, 'g'))) {
        used.add(`${module} ${member}`)
        if (!new RegExp(`\\.${member}\\b`).test(sheets[module] ?? '')) missing.push(`${path}: ${name}.${member}`)
      }
      // `css[kind]` may be any of them.
      if (text.includes(`${name}[`)) used.add(`${module} *`)
    }
  }
  expect(missing).toEqual([])
  const unused = Object.entries(sheets)
    .filter(([path]) => path.endsWith('.module.css') && !used.has(`${path} *`))
    .flatMap(([path, text]) =>
      [...new Set(text.replace(/:global\([^)]*\)/g, '').match(/\.[a-z]\w*(?=[^{}]*\{)/gi))].map(
        (one) => `${path} ${one.slice(1)}`,
      ),
    )
    .filter((one) => !used.has(one))
  expect(unused).toEqual([])
})

test('only strings/ has texts for users', () => {
  const elements = found(components, />[^<>{}()=;&|?]*[A-Za-z]{2,}[^<>{}()=;&|?]*<\//)
  const attributes = found(components, /\b(aria-label|title|label|placeholder|alt|description)="[^"]*[A-Za-z]{2,}/)
  expect([...elements, ...attributes]).toEqual([])
})
