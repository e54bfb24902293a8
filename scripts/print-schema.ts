import { writeFile } from 'node:fs/promises';
import { printSchema } from 'graphql';
import { schema } from '../gateway/graphql/schema.ts';

/** The text that `gateway/graphql/schema.graphql` must hold, formatted as `npm run format` does. */
export function schemaText(): string {
  return `${printSchema(schema)}\n`.replaceAll(/^( *)"""(.+)"""$/gm, '$1"""\n$1$2\n$1"""');
}

if (import.meta.main) {
  await writeFile(new URL('../gateway/graphql/schema.graphql', import.meta.url), schemaText());
}
