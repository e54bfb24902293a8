import type { AppliedEndpoint, FlowEndpoint } from '../gateway-client.ts';
import { GatewayError } from '../client/gateway-error.ts';
import { growingPauseMs } from '../client/growing-pause.ts';
import type { Wait } from '../client/growing-pause.ts';

/** What the flows of one gateway node hold, kept declared at the gateway. */
export interface FlowDeclaration {
  set(endpoint: FlowEndpoint): void;
  remove(key: string): void;
  /**
   * Declares what is set now. One declaration is under way at a time; asked meanwhile, another follows. Where the
   * gateway does not answer, it is tried again with growing pauses until it does.
   */
  apply(): void;
  /** Something was set or removed since the last declaration began. */
  readonly isChanged: boolean;
  close(): void;
}

export interface FlowDeclarationOptions {
  apply(endpoints: readonly FlowEndpoint[]): Promise<AppliedEndpoint[]>;
  onApplied(applied: readonly AppliedEndpoint[]): void;
  /** The gateway does not take this one; the others are declared without it. */
  onRefused(key: string, error: GatewayError): void;
  /** Nothing could be declared; it is tried again where that may help. */
  onError(error: GatewayError): void;
  wait: Wait;
  random: () => number;
}

/** Begins with nothing declared. */
export function createFlowDeclaration(options: FlowDeclarationOptions): FlowDeclaration {
  const endpoints = new Map<string, FlowEndpoint>();
  const closing = new AbortController();
  let isChanged = true;
  let isWanted = false;
  let isRunning = false;
  let wake = new AbortController();

  const declare = async (): Promise<void> => {
    const refused = new Set<string>();
    for (;;) {
      const offered = [...endpoints.values()].filter(({ key }) => !refused.has(key));
      try {
        options.onApplied(await options.apply(offered));
        return;
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        const culprit = offered[culpritIndex(error)];
        if (culprit === undefined) throw error;
        refused.add(culprit.key);
        options.onRefused(culprit.key, error);
      }
    }
  };

  /** Declares until nothing is wanted any more. Whoever asks after that begins it anew. */
  const run = async (): Promise<void> => {
    let failures = 0;
    while (isWanted && !closing.signal.aborted) {
      isWanted = false;
      isChanged = false;
      wake = new AbortController();
      const error = await declare().catch(asGatewayError);
      if (error === undefined || closing.signal.aborted) {
        failures = 0;
        continue;
      }
      options.onError(error);
      // What the gateway will not take as it stands waits for the next deploy or connection.
      if (error.code === 'BAD_USER_INPUT') continue;
      failures += 1;
      isWanted = true;
      await options
        .wait(growingPauseMs(failures, options.random), AbortSignal.any([closing.signal, wake.signal]))
        .catch(() => undefined);
    }
    isRunning = false;
  };

  return {
    set: (endpoint) => {
      endpoints.set(endpoint.key, endpoint);
      isChanged = true;
    },
    remove: (key) => {
      if (endpoints.delete(key)) isChanged = true;
    },
    apply: () => {
      isWanted = true;
      wake.abort();
      if (isRunning) return;
      isRunning = true;
      void run();
    },
    get isChanged() {
      return isChanged;
    },
    close: () => closing.abort(),
  };
}

function asGatewayError(error: unknown): GatewayError {
  return error instanceof GatewayError ? error : new GatewayError('INTERNAL', String(error));
}

/** Which of the endpoints the gateway does not take: its error names the field as `endpoints.<n>.<name>`. */
function culpritIndex({ code, field }: GatewayError): number {
  if (code !== 'BAD_USER_INPUT' || field === null) return -1;
  const index = /(?:^|\.)endpoints\.(\d+)(?:\.|$)/.exec(field)?.[1];
  return index === undefined ? -1 : Number(index);
}
