import type { NextConfig } from 'next'

export default {
  output: 'standalone',
  serverExternalPackages: ['plumage'],
} satisfies NextConfig
