import { GraphQLError, parse, specifiedRules, validate } from 'graphql';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import type { Scope } from '../services.ts';
import { DOCUMENT_LIMITS, documentLimitErrors } from './document-limits.ts';
import { scopeRule } from './scope-rule.ts';

/** A document that may be run, or why it may not. */
export type PreparedDocument = { document: DocumentNode; errors: readonly GraphQLError[] };

/** Parses and validates for both transports, once per document and set of scopes. */
export interface DocumentCache {
  /**
   * @returns the document with what is wrong with it; it may be run where that is nothing
   * @throws GraphQLError for what is no GraphQL, with code BAD_USER_INPUT
   */
  prepare(text: string, held: ReadonlySet<Scope>): PreparedDocument;
}

/** How many documents are kept. Clients have few, and send them again and again. */
const MOST_DOCUMENTS = 500;

/** Longer texts are not kept: what others send must not fill the memory. */
const LONGEST_TEXT = 16_384;

/** A cache of its own, empty. */
export function createDocumentCache(schema: GraphQLSchema): DocumentCache {
  const kept = new Map<string, PreparedDocument>();
  return {
    prepare: (text, held) => {
      const key = `${[...held].sort().join(' ')}\n${text}`;
      const known = kept.get(key);
      if (known !== undefined) {
        // A Map remembers the order of insertion: what was used last goes to its end.
        kept.delete(key);
        kept.set(key, known);
        return known;
      }
      const document = parseDocument(text);
      const errors = documentErrors(schema, document, held);
      const prepared = { document, errors };
      if (errors.length === 0 && text.length <= LONGEST_TEXT) {
        kept.set(key, prepared);
        if (kept.size > MOST_DOCUMENTS) kept.delete(kept.keys().next().value as string);
      }
      return prepared;
    },
  };
}

function parseDocument(text: string): DocumentNode {
  try {
    return parse(text, { maxLexicalTokens: DOCUMENT_LIMITS.tokens });
  } catch (error) {
    throw markAsBadInput(error as GraphQLError);
  }
}

function documentErrors(
  schema: GraphQLSchema,
  document: DocumentNode,
  held: ReadonlySet<Scope>,
): readonly GraphQLError[] {
  const beyondLimits = documentLimitErrors(document);
  const errors =
    beyondLimits.length > 0 ? beyondLimits : validate(schema, document, [...specifiedRules, scopeRule(held)]);
  return errors.map(markAsBadInput);
}

function markAsBadInput(error: GraphQLError): GraphQLError {
  if (error.extensions['code'] !== undefined) return error;
  return new GraphQLError(error.message, {
    nodes: error.nodes,
    source: error.source,
    positions: error.positions,
    extensions: { code: 'BAD_USER_INPUT', field: 'query' },
  });
}
