/** Builds the page for any folder of any server: addresses are relative. */
import { join } from 'node:path'
import { defineConfig } from 'vite'

// Threads need shared memory, which browsers give only to pages that are cut off from other origins.
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  worker: { format: 'es' },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    rollupOptions: {
      input: ['index.html', 'collection.html'].map((page) => join(import.meta.dirname, page)),
    },
  },
  // The library starts workers and fetches files beside its own modules: a bundled copy would look for them elsewhere.
  optimizeDeps: { exclude: ['plumage'] },
  server: { headers: isolation, fs: { allow: ['..'] } },
  preview: { headers: isolation },
})
