import { getOperationAST, GraphQLError } from 'graphql';
import type {
  ExecutionArgs,
  ExecutionResult,
  FormattedExecutionResult,
  GraphQLFormattedError,
  GraphQLSchema,
} from 'graphql';
import { CloseCode, makeServer } from 'graphql-ws';
import type { ConnectionInitMessage, Context, Server, SubscribePayload } from 'graphql-ws';
import { badInput, HooklineError } from '../errors.ts';
import type { Services } from '../services.ts';
import { unauthenticated } from './authenticate.ts';
import { createContext } from './context.ts';
import type { DocumentCache } from './document-cache.ts';
import type { GraphqlEngine } from './engine.ts';
import { maskError } from './mask-error.ts';
import type { GraphqlLog } from './mask-error.ts';
import type { WebsocketSession } from './websocket-session.ts';

/** Operations under way on one websocket at a time. */
const MOST_OPERATIONS = 50;

/** How long a socket may stand there without saying who it is. */
const INIT_TIMEOUT_MS = 3000;

/** What the protocol works with. */
export interface WebsocketProtocolOptions {
  schema: GraphQLSchema;
  services: Services;
  documents: DocumentCache;
  engine: GraphqlEngine;
  log: GraphqlLog;
}

/** The protocol graphql-transport-ws over our engine: what HTTP validates, runs and masks, this does alike. */
export function createWebsocketProtocol(options: WebsocketProtocolOptions): Server<WebsocketSession> {
  const { schema, services, documents, engine, log } = options;

  const prepare = (
    ctx: SessionContext,
    { query, variables, operationName }: SubscribePayload,
  ): ExecutionArgs => {
    if (Object.keys(ctx.subscriptions).length > MOST_OPERATIONS) {
      throw new HooklineError(
        'RATE_LIMITED',
        `This websocket has ${MOST_OPERATIONS} operations under way; complete one, or open another websocket.`,
      );
    }
    const session = ctx.extra;
    const principal = session.principal();
    if (principal === null) {
      session.close(CloseCode.Forbidden, 'The key is not valid any more');
      throw unauthenticated();
    }
    const { document, errors } = documents.prepare(query, principal.scopes);
    if (errors.length > 0) throw new AggregateError(errors);
    if (!getOperationAST(document, operationName)) {
      throw badInput(
        'operationName',
        'The document has no operation of this name, or several and none is named.',
      );
    }
    return {
      schema,
      document,
      contextValue: createContext({ services, principal, socket: session, signal: null }),
      ...(variables == null ? {} : { variableValues: variables }),
      ...(operationName == null ? {} : { operationName }),
    };
  };

  return makeServer<ConnectionInitMessage['payload'], WebsocketSession>({
    connectionInitWaitTimeout: INIT_TIMEOUT_MS,
    onConnect: ({ extra: session, connectionParams }) => {
      session.logIn(connectionParams);
      try {
        return session.principal() !== null;
      } catch (error) {
        session.close(CloseCode.Forbidden, maskError(error, log).message);
        return false;
      }
    },
    onSubscribe: (ctx, _id, payload) => {
      try {
        return prepare(ctx, payload);
      } catch (error) {
        const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
        return errors.map((each) => maskError(each, log));
      }
    },
    execute: (args) => engine.execute(args),
    subscribe: async (args) => {
      const outcome = await engine.subscribe(args);
      return Symbol.asyncIterator in outcome ? outcome : failingStream(outcome);
    },
    onNext: (_ctx, _id, _payload, _args, result) => {
      if (result.errors === undefined) return undefined;
      return { ...result, errors: result.errors.map(formatError) } as FormattedExecutionResult;
    },
    onError: (_ctx, _id, _payload, errors) => errors.map(formatError),
  });
}

type SessionContext = Context<ConnectionInitMessage['payload'], WebsocketSession>;

/**
 * A subscription that could not be opened: a stream that fails at once, so that it ends with an `error` message
 * like one that fails later.
 */
function failingStream({ errors }: ExecutionResult): AsyncIterableIterator<ExecutionResult> {
  return {
    next: () =>
      Promise.reject(errors?.[0] ?? new GraphQLError('Internal error', { extensions: { code: 'INTERNAL' } })),
    return: () => Promise.resolve({ done: true, value: undefined }),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Without what is meant for an HTTP answer. */
function formatError(error: GraphQLError): GraphQLFormattedError {
  const formatted = error.toJSON();
  if (formatted.extensions?.['http'] === undefined) return formatted;
  const { http: _, ...extensions } = formatted.extensions;
  return { ...formatted, extensions };
}
