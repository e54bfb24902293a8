import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EndpointGate, type ReceiverSign } from '../../../gateway/store/endpoint-gate.ts';
import { startRedisServer, type RedisServer } from '../../support/redis-server.ts';

const GATE = readFileSync(
  new URL('../../../gateway/store/redis/lua/shared/gate.lua', import.meta.url),
  'utf8',
);
/** Plays steps on an endpoint's state and says after each what the gate says. */
const PLAY = `${GATE}
local input = cjson.decode(ARGV[1])
local e = { held = false, max = input.max, rate = input.rate ~= cjson.null and input.rate or nil, fails = 0, out = 0, earns = input.earns }
local now, seen = input.now, {}
for nth, step in ipairs(input.steps) do
  now = now + step.afterMs
  if step.kind == 'grant' and gateRoom(e, now) >= 1 then gateNoteGrant(e, now) end
  if step.kind == 'end' and e.out > 0 then e.out = e.out - 1 end
  if step.kind == 'sign' then
    gateNoteSign(e, step.sign.kind, step.sign.restMs ~= cjson.null and step.sign.restMs or nil, now)
  end
  if step.kind == 'set' then
    gateSetSettings(e, step.held, step.max, step.rate ~= cjson.null and step.rate or nil)
  end
  local opensAt = gateOpensAt(e, now)
  local state = gateState(e, now)
  state.room, state.opensAt = math.max(0, gateRoom(e, now)), opensAt < math.huge and opensAt or -1
  state.fails, state.since, state.lastOk = e.fails, e.since or cjson.null, e.lastOk or cjson.null
  seen[nth] = state
end
return cjson.encode(seen)`;

type Step = { afterMs: number } & (
  | { kind: 'grant' | 'end' }
  | { kind: 'sign'; sign: ReceiverSign }
  | { kind: 'set'; held: boolean; max: number; rate: number | null }
);

interface Play {
  now: number;
  max: number;
  rate: number | null;
  earns: boolean;
  steps: Step[];
}

/** The same on the gate of the embedded store. */
function play({ now: start, max, rate, earns, steps }: Play): object[] {
  const gate = new EndpointGate(
    { held: false, maxConcurrency: max, ratePerSecond: rate },
    { failuresInRow: 0, failingSince: null, lastSuccessAt: null },
  );
  gate.startsSlowly = earns;
  let now = start;
  return steps.map((step) => {
    now += step.afterMs;
    if (step.kind === 'grant' && gate.room(now) >= 1) gate.noteGrant(now);
    if (step.kind === 'end' && gate.inFlight > 0) gate.noteEnd();
    if (step.kind === 'sign') gate.noteSign(step.sign, now);
    if (step.kind === 'set') {
      gate.settings = { held: step.held, maxConcurrency: step.max, ratePerSecond: step.rate };
    }
    const opensAt = gate.opensAt(now);
    const { failuresInRow, failingSince, lastSuccessAt } = gate.health;
    return {
      ...gate.state(now),
      room: Math.max(0, gate.room(now)),
      opensAt: opensAt === Infinity ? -1 : opensAt,
      fails: failuresInRow,
      since: failingSince,
      lastOk: lastSuccessAt,
    };
  });
}

const afterMs = fc.oneof(fc.constant(0), fc.nat(2_000), fc.nat(400_000));
const max = fc.integer({ min: 1, max: 40 });
const rate = fc.oneof(fc.constant(null), fc.integer({ min: 1, max: 50 }), fc.constantFrom(0.25, 0.5, 2.5));
const sign = fc.record({
  kind: fc.constantFrom('success' as const, 'failure' as const, 'throttled' as const),
  restMs: fc.oneof(fc.constant(null), fc.nat(100_000_000)),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ afterMs, kind: fc.constant('grant' as const) }) },
  { weight: 3, arbitrary: fc.record({ afterMs, kind: fc.constant('end' as const) }) },
  { weight: 6, arbitrary: fc.record({ afterMs, kind: fc.constant('sign' as const), sign }) },
  {
    weight: 1,
    arbitrary: fc.record({ afterMs, kind: fc.constant('set' as const), held: fc.boolean(), max, rate }),
  },
);

describe('the gate of an endpoint in Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedisServer();
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server[Symbol.asyncDispose]();
  });

  it('opens and closes as the one of the embedded store, whatever happens', async () => {
    const plays = fc.record({
      now: fc.constant(1_768_464_000_000),
      max,
      rate,
      earns: fc.boolean(),
      steps: fc.array(step, { minLength: 1, maxLength: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(plays, async (input) => {
        const answer = (await redis.eval(PLAY, 0, JSON.stringify(input))) as string;
        expect(JSON.parse(answer)).toEqual(play(input));
      }),
      { numRuns: 200 },
    );
  });
});
