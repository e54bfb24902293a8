import { GraphQLError, Kind } from 'graphql';
import type { DocumentNode, FragmentDefinitionNode, SelectionSetNode } from 'graphql';

/** What a document may ask for at most, fragments unfolded. */
export const DOCUMENT_LIMITS = {
  /** Lexical tokens; the parser stops there. */
  tokens: 2000,
  /** Fields within each other. Introspection has a limit of its own. */
  depth: 12,
  aliases: 30,
  /** Fields of the operation itself. */
  rootFields: 20,
} as const;

interface Extent {
  depth: number;
  aliases: number;
  fields: number;
}

/**
 * Measures every operation of a document with its fragments unfolded, each fragment once, so that the measuring
 * itself stays small whatever the document unfolds to.
 * @returns what is beyond the limits; nothing for a document that may be validated
 */
export function documentLimitErrors(document: DocumentNode): GraphQLError[] {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const known = new Map<string, Extent>();
  const measureFragment = (name: string): Extent => {
    const measured = known.get(name);
    if (measured !== undefined) return measured;
    // Counts for nothing while it is measured: a circle is reported by the validation.
    known.set(name, EMPTY);
    const fragment = fragments.get(name);
    const extent = fragment === undefined ? EMPTY : measure(fragment.selectionSet);
    known.set(name, extent);
    return extent;
  };
  const measure = ({ selections }: SelectionSetNode): Extent => {
    const extent = { ...EMPTY };
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        const inner = selection.selectionSet === undefined ? EMPTY : measure(selection.selectionSet);
        extent.fields += 1;
        extent.aliases += inner.aliases + (selection.alias === undefined ? 0 : 1);
        const depth = selection.name.value.startsWith('__') ? 1 : 1 + inner.depth;
        extent.depth = Math.max(extent.depth, depth);
      } else {
        const inner =
          selection.kind === Kind.FRAGMENT_SPREAD
            ? measureFragment(selection.name.value)
            : measure(selection.selectionSet);
        extent.fields += inner.fields;
        extent.aliases += inner.aliases;
        extent.depth = Math.max(extent.depth, inner.depth);
      }
    }
    return extent;
  };

  return document.definitions.flatMap((definition) => {
    if (definition.kind !== Kind.OPERATION_DEFINITION) return [];
    const { depth, aliases, fields } = measure(definition.selectionSet);
    return [
      ...limitError('fields within each other', depth, DOCUMENT_LIMITS.depth),
      ...limitError('aliases', aliases, DOCUMENT_LIMITS.aliases),
      ...limitError('fields of the operation', fields, DOCUMENT_LIMITS.rootFields),
    ];
  });
}

const EMPTY: Extent = { depth: 0, aliases: 0, fields: 0 };

function limitError(what: string, found: number, limit: number): GraphQLError[] {
  if (found <= limit) return [];
  return [
    new GraphQLError(
      `The document has ${found} ${what}; at most ${limit} are allowed: ask in several requests.`,
    ),
  ];
}
