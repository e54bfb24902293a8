import { describe, expect, it } from 'vitest';
import { fromContext, MAX_CONTEXT_BYTES, toContext } from '../../../nodes/glue/message-context.ts';
import type { NodeMessage } from '../../../nodes/glue/node-red-api.ts';

const roundTrip = (msg: NodeMessage): NodeMessage | null =>
  fromContext(JSON.parse(JSON.stringify(toContext(msg))));

describe('the context of a message', () => {
  it('brings the message back as it was', () => {
    const msg = { _msgid: 'm1', topic: 't', payload: { a: [1, null, 'x'] }, mine: true };
    expect(roundTrip(msg)).toEqual(msg);
  });

  it('leaves out what belongs to this process or to the lease', () => {
    const msg = {
      payload: 1,
      req: {},
      res: {},
      hookline: { deliveryId: 'd' },
      delivery: {},
      error: {},
      send: () => 1,
    };
    expect(roundTrip(msg)).toEqual({ payload: 1 });
  });

  it('leaves out what JSON cannot hold', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(roundTrip({ payload: 1, circle, big: 10n })).toEqual({ payload: 1 });
  });

  it('of a large message keeps topic, event and payload', () => {
    const msg = {
      _msgid: 'm1',
      topic: 't',
      payload: 'p'.repeat(1000),
      event: { id: 'e' } as never,
      rest: 'x'.repeat(70_000),
    };
    expect(toContext(msg)).toEqual({
      shortened: true,
      message: { _msgid: 'm1', topic: 't', payload: 'p'.repeat(1000), event: { id: 'e' } },
    });
  });

  it('drops a payload that is itself too large', () => {
    const context = toContext({ topic: 't', event: { id: 'e' } as never, payload: 'p'.repeat(70_000) });
    expect(context).toEqual({ shortened: true, message: { topic: 't', event: { id: 'e' } } });
  });

  it('is never larger than the limit, whatever the characters', () => {
    for (const character of ['x', '"', '\u0001', 'ü', '€', '😀']) {
      for (const length of [9_000, 15_000, 20_000, 30_000, 61_000]) {
        const bytes = Buffer.byteLength(
          JSON.stringify(toContext({ payload: character.repeat(length), a: 'b' })),
        );
        expect(bytes).toBeLessThanOrEqual(MAX_CONTEXT_BYTES);
      }
    }
  });

  it.each([null, undefined, 'text', {}, { message: null }])(
    'that is none of ours (%j) gives no message',
    (context) => {
      expect(fromContext(context)).toBeNull();
    },
  );
});
