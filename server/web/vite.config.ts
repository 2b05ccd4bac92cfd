/// <reference types="vitest/config" />
import react from '@vitejs/plugin-react'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

/** Puts `.br` and `.gz` beside each text asset, since the server sends files as they lie there. */
function precompress(): Plugin {
  let folder = ''
  return {
    name: 'precompress',
    apply: 'build',
    configResolved(config) {
      folder = join(resolve(config.root, config.build.outDir), 'assets')
    },
    closeBundle() {
      for (const name of readdirSync(folder).filter((n) => /\.(js|css|svg)$/.test(n))) {
        const content = readFileSync(join(folder, name))
        writeFileSync(join(folder, `${name}.br`), brotliCompressSync(content))
        writeFileSync(join(folder, `${name}.gz`), gzipSync(content, { level: 9 }))
      }
    },
  }
}

/** Puts the library that draws users' Plotly figures beside the page; the server inlines it where one is shown. */
function plotly(): Plugin {
  return {
    name: 'plotly',
    apply: 'build',
    generateBundle() {
      const file = resolve(import.meta.dirname, 'node_modules/plotly.js-strict-dist-min/plotly-strict.min.js')
      this.emitFile({ type: 'asset', fileName: 'plotly.js', source: readFileSync(file) })
    },
  }
}

// `npm run dev` beside a running server: TRACKER_URL=http://127.0.0.1:8787 TRACKER_API_KEY=… npm run dev
const { TRACKER_URL = 'http://127.0.0.1:8787', TRACKER_API_KEY } = process.env
const headers = TRACKER_API_KEY ? { authorization: `Bearer ${TRACKER_API_KEY}` } : undefined

export default defineConfig({
  base: './', // the server writes its prefix into the page
  plugins: [react(), precompress(), plotly()],
  build: {
    outDir: '../tracker_server/dashboard',
    emptyOutDir: true,
    // The first browsers with light-dark(); what it is rewritten into for older ones knows no scheme set by a variable.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    license: { fileName: 'licenses.md' }, // of what is bundled, as they ask for
    cssCodeSplit: false, // in one file, which is smaller than its parts
    assetsInlineLimit: 0, // the content policy allows no data: scripts or fonts
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      // What several pages share comes in one file, not in thirty.
      output: {
        codeSplitting: {
          groups: [
            {
              name: 'shared',
              test: /node_modules\/(?!echarts|zrender|uplot|marked|dompurify)|src\/(api|lib|shell|strings|view)\//,
              minShareCount: 2,
            },
          ],
        },
      },
    },
  },
  // `pgRow-cell` of project/grid/Row: unique, short, and without a hash, which would not compress.
  css: {
    modules: {
      generateScopedName: (name, file) => `${/src\/(.*)\.module/.exec(file)![1]!.replace(/(\w)\w*\//g, '$1')}-${name}`,
    },
  },
  server: { proxy: { '/api': { target: TRACKER_URL, headers } } },
  test: { css: true, include: ['src/**/*.test.ts'] },
})
