import { describe, expect, it } from 'vitest';
import { createFlowDeclaration } from '../../../nodes/glue/flow-declaration.ts';
import type { FlowDeclaration } from '../../../nodes/glue/flow-declaration.ts';
import type { AppliedEndpoint, FlowEndpoint } from '../../../nodes/gateway-client.ts';
import { GatewayError } from '../../../nodes/client/gateway-error.ts';
import { createChangeSignal } from '../support/change-signal.ts';

interface Harness {
  declaration: FlowDeclaration;
  /** Keys that were offered, per declaration. */
  offers: string[][];
  refused: string[];
  errors: string[];
  pausesMs: number[];
  until: ReturnType<typeof createChangeSignal>['until'];
}

/** @param answers what becomes of each declaration in turn: an error, or what to wait for before it succeeds. */
function harness(answers: (GatewayError | Promise<unknown>)[] = []): Harness {
  const { changed, until } = createChangeSignal();
  const offers: string[][] = [];
  const refused: string[] = [];
  const errors: string[] = [];
  const pausesMs: number[] = [];
  const declaration = createFlowDeclaration({
    apply: async (endpoints) => {
      offers.push(endpoints.map(({ key }) => key));
      changed();
      const answer = answers.shift();
      if (answer instanceof GatewayError) throw answer;
      await answer;
      return endpoints.map(({ key }): AppliedEndpoint => ({
        key,
        endpoint: { id: key, active: true, paused: false },
        resultsEndpointId: null,
      }));
    },
    onApplied: changed,
    onRefused: (key) => {
      refused.push(key);
    },
    onError: ({ code }) => {
      errors.push(code);
      changed();
    },
    wait: (ms, signal) =>
      new Promise((resolve, reject) => {
        pausesMs.push(ms);
        if (signal.aborted) reject(signal.reason as Error);
        else setImmediate(resolve);
      }),
    random: () => 0,
  });
  return { declaration, offers, refused, errors, pausesMs, until };
}

const endpoint = (key: string): FlowEndpoint => ({ key, kind: 'FLOW', description: key });
const away = (): GatewayError => new GatewayError('GATEWAY_UNREACHABLE', 'away');

describe('a declaration', () => {
  it('holds what is set at that moment', async () => {
    const { declaration, offers, until } = harness();
    declaration.set(endpoint('a'));
    declaration.set(endpoint('b'));
    declaration.remove('a');
    declaration.apply();
    await until('the declaration', () => offers.length === 1);
    expect(offers).toEqual([['b']]);
    expect(declaration.isChanged).toBe(false);
    declaration.set(endpoint('c'));
    expect(declaration.isChanged).toBe(true);
  });

  it('is followed by one more where it was asked for several times meanwhile', async () => {
    const first = Promise.withResolvers<void>();
    const { declaration, offers, until } = harness([first.promise]);
    declaration.set(endpoint('a'));
    declaration.apply();
    declaration.set(endpoint('b'));
    for (let times = 0; times < 5; times += 1) declaration.apply();
    first.resolve();
    await until('the second', () => offers.length === 2);
    expect(offers).toEqual([['a'], ['a', 'b']]);
  });

  it('is tried again with growing pauses until the gateway answers', async () => {
    const { declaration, offers, errors, pausesMs, until } = harness([away(), away(), away()]);
    declaration.apply();
    await until('the fourth', () => offers.length === 4);
    expect(errors).toEqual(['GATEWAY_UNREACHABLE', 'GATEWAY_UNREACHABLE', 'GATEWAY_UNREACHABLE']);
    expect(pausesMs).toEqual([250, 500, 1000]);
  });

  it('goes on without an endpoint that the gateway names as wrong', async () => {
    const wrong = new GatewayError('BAD_USER_INPUT', 'no', { field: 'input.endpoints.1.url' });
    const { declaration, offers, refused, errors, until } = harness([wrong]);
    for (const key of ['a', 'b', 'c']) declaration.set(endpoint(key));
    declaration.apply();
    await until('the second', () => offers.length === 2);
    expect(offers[1]).toEqual(['a', 'c']);
    expect(refused).toEqual(['b']);
    expect(errors).toEqual([]);
  });

  it('that is wrong as a whole is not repeated', async () => {
    const { declaration, offers, errors, until } = harness([
      new GatewayError('BAD_USER_INPUT', 'no', { field: 'owner' }),
    ]);
    declaration.apply();
    await until('the error', () => errors.length === 1);
    declaration.apply();
    await until('the next deploy', () => offers.length === 2);
  });

  it('ends with its node', async () => {
    const { declaration, offers, errors, until } = harness([away()]);
    declaration.apply();
    declaration.close();
    await until('the only one', () => offers.length === 1);
    expect(errors).toEqual([]);
  });
});
