import type { KeyObject } from 'node:crypto'
import { secretKeyFrom } from './key-file.ts'

/**
 * The key under which card numbers become tokens: 32 bytes, from `hex` (64 digits) or from `pan.key` in `folder`, which
 * is made on first use with mode 0600. Every switch on one database needs the same key. Throws if others can read it.
 */
export const panKeyFrom = (hex: string | null, folder: string): KeyObject => secretKeyFrom(hex, `${folder}/pan.key`)
