import type { DocumentNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { DocumentCache, PreparedDocument } from './document-cache.ts';
import type { HttpContext } from './http-context.ts';

/** A plugin that parses and validates through the cache that both transports share. */
export function useSharedDocuments(documents: DocumentCache): Plugin<HttpContext, HttpContext> {
  const errorsOf = new WeakMap<DocumentNode, PreparedDocument['errors']>();
  return {
    onParse({ params, context, setParseFn }) {
      setParseFn(() => {
        const { document, errors } = documents.prepare(String(params.source), context.principal.scopes);
        errorsOf.set(document, errors);
        return document;
      });
    },
    onValidate({ params, setResult }) {
      const errors = errorsOf.get(params.documentAST) ?? [];
      for (const error of errors) {
        if (error.extensions['code'] === 'FORBIDDEN') error.extensions.http = { spec: true, status: 403 };
      }
      setResult(errors);
    },
  };
}
