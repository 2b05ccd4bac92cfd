import '@mantine/core/styles.layer.css'
import '@mantine/notifications/styles.layer.css'
import '@mantine/spotlight/styles.layer.css'
import './global.css'

import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { secret, takeSecret } from './api/session'
import { queryClient } from './api/queries'
import { whoamiQuery } from './api/whoami'
import { router } from './router'
import { theme, variables } from './theme'

takeSecret()
void queryClient.prefetchQuery(whoamiQuery)

// Going back after signing out shows the page as it was left, unless it is loaded again.
const mine = secret()
window.addEventListener('pageshow', (event) => {
  if (event.persisted && secret() !== mine) window.location.reload()
})

// The content policy admits only styles that carry the nonce of this page's answer.
const nonce = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')!.content
// What locks the scrolling of the page behind a dialog looks for it here.
Object.assign(globalThis, { __webpack_nonce__: nonce })

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      cssVariablesResolver={variables}
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={queryClient}>
        <Notifications position="bottom-right" />
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
)
