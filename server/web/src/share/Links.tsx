import { Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { expiryText } from '../access/Expiry'
import { List, Row } from '../access/List'
import { linksOf, revokeLink, type LinkKind, type ShareLink } from '../api/links'
import { usePages } from '../api/pages'
import { placeOf, type Place } from '../api/paths'
import { ago } from '../lib/format'
import { showError } from '../shell/showError'
import { strings } from '../strings'

const texts = strings.share

const nameOf = (link: ShareLink) =>
  link.target === null ? texts.kinds[link.kind] : `${texts.kinds[link.kind]} ${link.target}`

interface LinksProps extends Place {
  /** Show only links to this */
  only?: { kind: LinkKind; target: string | null }
  empty: string
}

/** List share links of a project, and revoke them. */
export function Links({ entity, project, only, empty }: LinksProps) {
  const place = { entity, project }
  const list = usePages(linksOf(place), only?.target ?? only?.kind)
  const isShown = (link: ShareLink) => !only || (link.kind === only.kind && link.target === only.target)
  return (
    <List
      list={{ ...list, items: list.items?.filter((link) => link.revoked === null && isShown(link)) }}
      label={texts.links}
      empty={empty}
      idOf={(link) => link.id}
      row={(link) => <LinkRow link={link} {...placeOf(place)} />}
    />
  )
}

function LinkRow({ link, entity, project }: Place & { link: ShareLink }) {
  const revoke = useMutation({
    mutationFn: () => revokeLink({ entity, project }, link.id),
    onSuccess: () => notifications.show({ message: texts.revoked }),
    onError: showError,
  })
  const made = link.creator ? texts.by(link.creator, ago(link.created)) : texts.made(ago(link.created))
  return (
    <Row title={nameOf(link)} facts={[made, expiryText(link.expires), texts.opened(link.opened)]}>
      <Button
        size="compact-sm"
        variant="default"
        loading={revoke.isPending}
        onClick={() => revoke.mutate()}
        aria-label={texts.revokeOne(nameOf(link))}
      >
        {texts.revoke}
      </Button>
    </Row>
  )
}
