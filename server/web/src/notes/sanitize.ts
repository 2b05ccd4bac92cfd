import DOMPurify from 'dompurify'
import { ROOT, signed } from '../api/session'

/**
 * Sanitize the HTML of Markdown: no scripts, handlers, styles, forms, frames or names, and nothing from other sites.
 * The content policy blocks these as well.
 */
const purify = DOMPurify(window)

const TAGS = [
  ...[
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
    'p',
    'br',
    'hr',
    'ul',
    'ol',
    'li',
    'blockquote',
    'pre',
    'code',
    'kbd',
    'samp',
  ],
  ...['em', 'strong', 'b', 'i', 'u', 's', 'del', 'ins', 'sub', 'sup', 'mark', 'small', 'abbr', 'details', 'summary'],
  ...['table', 'thead', 'tbody', 'tr', 'th', 'td', 'a', 'img', 'input'],
]
const ATTRIBUTES = [
  'href',
  'src',
  'alt',
  'title',
  'align',
  'start',
  'colspan',
  'rowspan',
  'open',
  'type',
  'checked',
  'disabled',
]
const OWN_IMAGE = /^(\/api\/|data:image\/(png|jpeg|gif|webp);base64,)/i
const LINK = /^(https?:|mailto:|[/#?]|[^:]*$)/i

purify.addHook('afterSanitizeAttributes', (node) => {
  if (node.tagName === 'A') secureLink(node)
  if (node.tagName === 'IMG') secureImage(node)
  // Task lists show checkboxes; no other input is allowed.
  if (node.tagName === 'INPUT') {
    if (node.getAttribute('type') !== 'checkbox') node.remove()
    else node.setAttribute('disabled', '')
  }
})

function secureLink(link: Element) {
  const address = link.getAttribute('href') ?? ''
  if (/^\/(?!\/)/.test(address) && !address.startsWith(`${ROOT || '//'}/`))
    link.setAttribute('href', address.startsWith('/api/') ? signed(address) : ROOT + address)
  if (/^(https?:|\/\/)/i.test(address)) {
    link.setAttribute('target', '_blank')
    link.setAttribute('rel', 'noopener noreferrer')
  }
}

/** Replace an image from another site by a link: loading it would tell that site who reads the notes, and when. */
function secureImage(image: Element) {
  const source = image.getAttribute('src') ?? ''
  if (OWN_IMAGE.test(source)) {
    if (source.startsWith('/api/')) image.setAttribute('src', signed(source))
    return
  }
  const link = image.ownerDocument.createElement('a')
  link.textContent = image.getAttribute('alt') || source
  if (/^https?:/i.test(source)) link.setAttribute('href', source)
  secureLink(link)
  image.replaceWith(link)
}

export function sanitize(html: string): string {
  return purify.sanitize(html, {
    ...{ ALLOWED_TAGS: TAGS, ALLOWED_ATTR: ATTRIBUTES, ALLOWED_URI_REGEXP: LINK },
    ...{ ALLOW_DATA_ATTR: false, ALLOW_ARIA_ATTR: false },
  })
}
