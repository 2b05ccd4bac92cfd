import { Button } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Row } from '../access/List'
import listCss from '../access/List.module.css'
import { Section } from '../access/Section'
import { connect, disconnect, waysQuery } from '../api/identities'
import { ROOT } from '../api/session'
import { showError } from '../shell/showError'
import { strings } from '../strings'

const texts = strings.accountPage

/** The providers that the account signs in with; nothing if the server knows none. */
export function Providers() {
  const { data } = useQuery(waysQuery)
  const join = useMutation({
    mutationFn: (provider: string) => connect(provider, `${ROOT}/account`),
    onSuccess: (url) => window.location.assign(url),
    onError: showError,
  })
  const leave = useMutation({ mutationFn: disconnect, onError: showError })
  if (!data?.identities.length) return null
  return (
    <Section title={texts.providers}>
      <ul className={`panel ${listCss.list}`}>
        {data.identities.map((one) => (
          <li key={one.provider} className={listCss.row}>
            <Row title={one.label} facts={[one.connected ? texts.connected : texts.notConnected]}>
              <Button
                size="compact-sm"
                variant="default"
                loading={(one.connected ? leave : join).isPending}
                onClick={() => (one.connected ? leave : join).mutate(one.provider)}
                aria-label={one.connected ? texts.disconnectFrom(one.label) : texts.connectWith(one.label)}
              >
                {one.connected ? texts.disconnect : texts.connect}
              </Button>
            </Row>
          </li>
        ))}
      </ul>
    </Section>
  )
}
