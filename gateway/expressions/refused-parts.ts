import { type AstNode, walkAst } from './ast-node.ts';
import { syntaxFailure } from './describe-failure.ts';
import type { ExpressionFailure } from './evaluate-result.ts';

/** Functions of JSONata that are not available, with the reason. */
const REFUSED_FUNCTIONS = new Map([
  ['random', 'the same event must give the same result on every retry'],
  ['shuffle', 'the same event must give the same result on every retry'],
  ['eval', 'what an event holds is data and is never run'],
]);

/** What JSONata would accept and we do not; null where there is nothing of it. */
export function findRefusedPart(ast: AstNode): ExpressionFailure | null {
  for (const node of walkAst(ast)) {
    const reason = node.type === 'variable' ? REFUSED_FUNCTIONS.get(String(node.value)) : undefined;
    if (reason !== undefined) {
      return syntaxFailure(`$${String(node.value)} is not available, because ${reason}.`, node.position);
    }
    // The parser copies what stands to the left of these, and a pattern does not survive the copying.
    if (node.type === 'regex' && !(node.value instanceof RegExp)) {
      return syntaxFailure('a regular expression cannot stand to the left of ?? or ?:.', node.position);
    }
  }
  return null;
}
