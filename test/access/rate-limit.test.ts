import { expect, it } from 'vitest';
import { createBadKeyLimit } from '../../gateway/access/rate-limit.ts';
import { createManualClock } from '../support/manual-clock.ts';

function setUp() {
  const clock = createManualClock();
  const limit = createBadKeyLimit(clock);
  const bad = (address: string, times: number) => {
    for (let time = 0; time < times; time += 1) limit.countBad(address);
  };
  return { clock, limit, bad };
}

const limited = expect.objectContaining({ code: 'RATE_LIMITED' }) as Error;

it('refuses the eleventh wrong key within a minute, and says how long to wait', () => {
  const { limit, bad, clock } = setUp();
  bad('10.0.0.1', 10);
  clock.advance(20_000);
  expect(() => limit.countBad('10.0.0.1')).toThrow(
    expect.objectContaining({ code: 'RATE_LIMITED', details: { retryAfterSeconds: 40 } }) as Error,
  );
  expect(() => limit.countBad('10.0.0.2')).not.toThrow();
  clock.advance(40_000);
  expect(() => limit.countBad('10.0.0.1')).not.toThrow();
});

it('gives a guesser no answer even for the right key, while a key in use goes on working', () => {
  const { limit, bad } = setUp();
  limit.letPass('10.0.0.1', 'key_in_use');
  bad('10.0.0.1', 10);
  expect(() => limit.letPass('10.0.0.1', 'key_guessed')).toThrow(limited);
  expect(() => limit.letPass('10.0.0.1', 'key_in_use')).not.toThrow();
  expect(() => limit.letPass('10.0.0.2', 'key_guessed')).not.toThrow();
});

it('counts all addresses of one IPv6 network together', () => {
  const { limit, bad } = setUp();
  bad('2001:db8:1:2::7', 5);
  bad('2001:db8:1:2:ffff:1:2:3', 5);
  expect(() => limit.countBad('2001:db8:1:2::9')).toThrow(limited);
  expect(() => limit.countBad('2001:db8:1:3::9')).not.toThrow();
  bad('::1', 10);
  expect(() => limit.countBad('::1')).toThrow(limited);
  bad('::ffff:10.0.0.1', 10);
  expect(() => limit.countBad('::ffff:10.0.0.2')).not.toThrow();
});

it('remembers a bounded number of addresses', () => {
  const { limit, bad } = setUp();
  bad('10.0.0.1', 10);
  for (let index = 0; index < 4096; index += 1) limit.countBad(`10.1.${index >> 8}.${index & 255}`);
  expect(() => limit.countBad('10.0.0.1')).not.toThrow();
});
