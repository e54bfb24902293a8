import { GraphQLError, isAbstractType } from 'graphql';
import type { ASTNode, ASTVisitor, ValidationContext, ValidationRule } from 'graphql';
import { hasScope } from '../access/scopes.ts';
import type { Scope } from '../services.ts';
import { SCOPES_BY_FIELD, SCOPES_BY_NODE_TYPE } from './scopes.ts';
import type { NeededScopes } from './scopes.ts';

const ROOT_TYPES: ReadonlySet<string> = new Set(['Query', 'Mutation', 'Subscription']);

/**
 * A validation rule: everything a document asks for is covered by these scopes. Resolvers carry no checks; a
 * document that passed may be run again by whoever holds the same scopes.
 */
export function scopeRule(held: ReadonlySet<Scope>): ValidationRule {
  return (context: ValidationContext): ASTVisitor => {
    const reported = new Set<string>();
    const demand = (what: string, needed: NeededScopes, node: ASTNode): void => {
      if (needed === 'anyone' || hasScope(held, ...needed) || reported.has(what)) return;
      reported.add(what);
      context.reportError(
        new GraphQLError(
          `${what} needs a key with the scope ${needed.join(' or ')}; this one has ${listScopes(held)}.`,
          {
            nodes: node,
            extensions: { code: 'FORBIDDEN', scopes: needed },
          },
        ),
      );
    };
    const demandNarrowing = (typeName: string | undefined, node: ASTNode): void => {
      const needed = typeName === undefined ? undefined : SCOPES_BY_NODE_TYPE[typeName];
      if (needed !== undefined && isAbstractType(context.getParentType()))
        demand(`Reading ${typeName} by id`, needed, node);
    };
    return {
      Field: (node) => {
        const parent = context.getParentType()?.name;
        const field = context.getFieldDef()?.name;
        if (parent === undefined || field === undefined || field.startsWith('__')) return;
        const needed = SCOPES_BY_FIELD[`${parent}.${field}`];
        if (needed !== undefined) demand(`${parent}.${field}`, needed, node);
        else if (ROOT_TYPES.has(parent)) demand(`${parent}.${field}`, ['admin'], node);
      },
      InlineFragment: (node) => demandNarrowing(node.typeCondition?.name.value, node),
      FragmentSpread: (node) =>
        demandNarrowing(context.getFragment(node.name.value)?.typeCondition.name.value, node),
    };
  };
}

function listScopes(held: ReadonlySet<Scope>): string {
  return held.size === 0 ? 'none' : [...held].join(', ');
}
