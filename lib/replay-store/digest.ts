import { hash } from 'node:crypto'

/** Of fixed size whatever the parts hold, and different for different parts: JSON keeps them apart. */
export const digest = (...parts: string[]): string => hash('sha256', JSON.stringify(parts), 'base64url')
