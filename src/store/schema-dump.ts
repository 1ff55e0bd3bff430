import pg from 'pg'

/**
 * The whole schema as text, in an order that does not depend on how it came about: a change of schema shows up as a
 * change of the committed `migrations/schema.sql`. Partitions of single days are left out.
 */
export async function dumpSchema(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url, application_name: 'charsu-dump' })
  await client.connect()
  try {
    const parts: string[] = ['-- The schema after all migrations. Made by `charsu migrate --dump`; do not edit.']
    for (const text of sections) {
      const { rows } = await client.query<{ ddl: string }>(text)
      parts.push(...rows.map(({ ddl }) => ddl))
    }
    return `${parts.join('\n\n')}\n`
  } finally {
    await client.end()
  }
}

const isOurs = (relation: string): string =>
  `${relation}.relnamespace = 'public'::regnamespace AND ${relation}.relname !~ '_[0-9]+(_.*)?$'`

const sections: readonly string[] = [
  `SELECT format('CREATE SEQUENCE %I AS %s INCREMENT %s MINVALUE %s MAXVALUE %s START %s CACHE %s;', sequencename,
     data_type, increment_by, min_value, max_value, start_value, cache_size) AS ddl
   FROM pg_sequences s WHERE schemaname = 'public' AND NOT EXISTS (
     SELECT FROM pg_depend WHERE objid = format('%I', s.sequencename)::regclass AND deptype IN ('a', 'i'))
   ORDER BY sequencename`,
  `SELECT format(E'CREATE TABLE %I (\\n%s\\n)%s%s;', c.relname,
     (SELECT string_agg(format('  %I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END,
        coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), ''),
        CASE a.attidentity WHEN 'a' THEN ' GENERATED ALWAYS AS IDENTITY' ELSE '' END), E',\\n' ORDER BY a.attnum)
      FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
      || coalesce((SELECT string_agg(format(E',\\n  CONSTRAINT %I %s', o.conname, pg_get_constraintdef(o.oid)), ''
          ORDER BY o.conname)
        FROM pg_constraint o WHERE o.conrelid = c.oid AND o.contype <> 'n'), ''),
     coalesce(' PARTITION BY ' || pg_get_partkeydef(c.oid), ''),
     coalesce(' WITH (' || array_to_string(c.reloptions, ', ') || ')', '')) AS ddl
   FROM pg_class c WHERE c.relkind IN ('r', 'p') AND ${isOurs('c')} ORDER BY c.relname`,
  `SELECT pg_get_indexdef(i.indexrelid) || ';' AS ddl FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
   WHERE ${isOurs('c')} AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = i.indexrelid)
   ORDER BY 1`,
  `SELECT format(E'CREATE VIEW %I AS\\n%s', c.relname, pg_get_viewdef(c.oid, true)) AS ddl
   FROM pg_class c WHERE c.relkind = 'v' AND ${isOurs('c')} ORDER BY c.relname`,
  `SELECT pg_get_functiondef(p.oid) || ';' AS ddl FROM pg_proc p
   WHERE p.pronamespace = 'public'::regnamespace ORDER BY p.proname`,
  `SELECT format('COMMENT ON COLUMN %I.%I IS %L;', c.relname, a.attname, d.description) AS ddl
   FROM pg_description d JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass
   JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid
   WHERE ${isOurs('c')} AND d.objsubid > 0 ORDER BY c.relname, a.attname`,
]
