/** A node of JSONata's syntax tree, as far as we look into it. */
export interface AstNode {
  type: string;
  value?: unknown;
  position?: number;
  steps?: AstNode[];
  expressions?: AstNode[];
  arguments?: AstNode[];
  procedure?: AstNode;
  lhs?: AstNode | [AstNode, AstNode][];
  rhs?: AstNode;
  condition?: AstNode;
  then?: AstNode;
  else?: AstNode;
}

/** Every node of the tree once, whatever part of its parent it is. */
export function* walkAst(root: AstNode): Generator<AstNode> {
  const seen = new Set<unknown>();
  const open: unknown[] = [root];
  while (open.length > 0) {
    const part = open.pop();
    if (typeof part !== 'object' || part === null || seen.has(part)) continue;
    seen.add(part);
    if (typeof (part as AstNode).type === 'string') yield part as AstNode;
    for (const child of Object.values(part)) open.push(child);
  }
}
