import { hash } from 'node:crypto'

/**
 * The key of an entry: 43 characters whatever the parts hold, and a different key for different parts. JSON keeps
 * the parts separate, and keeps lone surrogates apart, which UTF-8 would not.
 */
export const digest = (...parts: string[]): string => hash('sha256', JSON.stringify(parts), 'base64url')
