/** IBM code page 037, EBCDIC byte → Latin-1 character code. */
const codePage037 =
  '000102039c09867f978d8e0b0c0d0e0f101112139d8508871819928f1c1d1e1f' +
  '80818283840a171b88898a8b8c050607909116939495960498999a9b14159e1a' +
  '20a0e2e4e0e1e3e5e7f1a22e3c282b7c26e9eaebe8edeeefecdf21242a293bac' +
  '2d2fc2c4c0c1c3c5c7d1a62c255f3e3ff8c9cacbc8cdcecfcc603a2340273d22' +
  'd8616263646566676869abbbf0fdfeb1b06a6b6c6d6e6f707172aabae6b8c6a4' +
  'b57e737475767778797aa1bfd0dddeae5ea3a5b7a9a7b6bcbdbe5b5dafa8b4d7' +
  '7b414243444546474849adf4f6f2f3f57d4a4b4c4d4e4f505152b9fbfcf9faff' +
  '5cf7535455565758595ab2d4d6d2d3d530313233343536373839b3dbdcd9da9f'

/**
 * Where code page 1047 (open systems; what host switches mean by EBCDIC) differs from 037 in printable characters.
 */
const codePage1047Changes = [
  [0x5f, '^'],
  [0xad, '['],
  [0xb0, '\u00ac'],
  [0xba, '\u00dd'],
  [0xbb, '\u00a8'],
  [0xbd, ']'],
] as const

export type CharacterTable = { readonly toLatin1: Uint8Array; readonly fromLatin1: Uint8Array }

export const ebcdic037 = characterTable(Uint8Array.from(Buffer.from(codePage037, 'hex')))
export const ebcdic1047 = characterTable(
  codePage1047Changes.reduce((table, [byte, character]) => {
    table[byte] = character.charCodeAt(0)
    return table
  }, Uint8Array.from(ebcdic037.toLatin1)),
)

function characterTable(toLatin1: Uint8Array): CharacterTable {
  const fromLatin1 = new Uint8Array(256)
  for (let byte = 0; byte < 256; byte++) fromLatin1[toLatin1[byte]!] = byte
  return { toLatin1, fromLatin1 }
}
