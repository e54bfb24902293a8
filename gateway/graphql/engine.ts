import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionArgs, ExecutionResult, GraphQLSchema } from 'graphql';
import { createYoga } from 'graphql-yoga';
import type { GraphqlContext } from './context.ts';
import type { DocumentCache } from './document-cache.ts';
import type { HttpContext } from './http-context.ts';
import { maskError } from './mask-error.ts';
import type { GraphqlLog } from './mask-error.ts';
import { useJsonBodies } from './use-json-bodies.ts';
import { useSharedDocuments } from './use-shared-documents.ts';

/** Runs operations, the same way for every transport, with errors masked. */
export interface GraphqlEngine {
  /** Answers one HTTP request of GraphQL: GET, POST, and server-sent events for a subscription. */
  answer(req: IncomingMessage, res: ServerResponse, context: GraphqlContext): Promise<void>;
  /** Runs a query or mutation that was prepared. */
  execute(args: ExecutionArgs): ExecutionOutcome;
  /** Opens a subscription that was prepared: a stream of results, or one result with why there is none. */
  subscribe(args: ExecutionArgs): SubscriptionOutcome;
}

/** The result of a query or mutation. */
export type ExecutionOutcome = Promise<ExecutionResult> | ExecutionResult;
/** A stream of results, or the one result that says why there is no stream. */
export type SubscriptionOutcome =
  | Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult>
  | AsyncIterableIterator<ExecutionResult>
  | ExecutionResult;

/** Puts the engine together. */
export function createEngine(options: {
  schema: GraphQLSchema;
  documents: DocumentCache;
  log: GraphqlLog;
}): GraphqlEngine {
  const { schema, documents, log } = options;
  const yoga = createYoga<HttpContext>({
    schema,
    // Whoever calls decides which requests are for us.
    graphqlEndpoint: '*',
    plugins: [useJsonBodies(), useSharedDocuments(documents)],
    maskedErrors: { maskError: (error) => maskError(error, log) },
    logging: false,
    landingPage: false,
    graphiql: false,
    cors: false,
    multipart: false,
    // Bodies are limited as they are read, which is several times faster than around yoga's streams.
    maxRequestBodySize: false,
    parserAndValidationCache: false,
  });
  const enveloped = yoga.getEnveloped();
  return {
    answer: async (req, res, context) => {
      await yoga(req, res, { ...context, req, res });
    },
    execute: (args) => enveloped.execute(args) as ExecutionOutcome,
    subscribe: (args) => enveloped.subscribe(args) as SubscriptionOutcome,
  };
}
