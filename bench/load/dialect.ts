import { compileDialect, type Dialect } from '../../src/codec/dialect.ts'
import iso87a from '../../switch-config/dialects/iso87a.json' with { type: 'json' }

export const dialect: Dialect = compileDialect(iso87a)
