import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { createHostCheck } from '../../gateway/access/host-check.ts';

it('answers to the loopback names, its own host and the public one, on any port', () => {
  const isAllowed = createHostCheck({ host: '10.1.2.3', publicUrl: 'https://Hooks.Plant.example/line/' });
  for (const host of [
    'localhost',
    'LOCALHOST:4000',
    '127.0.0.1:1',
    '[::1]:4000',
    '[::1]',
    '10.1.2.3:80',
    'hooks.plant.example',
  ]) {
    expect(isAllowed(host), host).toBe(true);
  }
});

it('refuses names that could have been made to point here', () => {
  const isAllowed = createHostCheck({ host: '127.0.0.1' });
  const wrong = [
    undefined,
    '',
    'evil.example',
    'localhost.evil.example',
    'evil.example:4000',
    '10.1.2.3',
    'localhost:',
    'localhost:x',
  ];
  for (const host of [
    ...wrong,
    'localhost@evil.example',
    'localhost/..',
    'a b',
    '::1',
    '[::1',
    '[localhost]',
  ]) {
    expect(isAllowed(host), String(host)).toBe(false);
  }
});

it('accepts every address, but no other name, where it listens on all of them', () => {
  for (const host of ['0.0.0.0', '::']) {
    const isAllowed = createHostCheck({ host });
    expect(isAllowed('192.168.7.7:4000')).toBe(true);
    expect(isAllowed('[fd00::7]:4000')).toBe(true);
    expect(isAllowed('gateway.plant.example:4000')).toBe(false);
  }
});

it('never fails, whatever is sent', () => {
  const isAllowed = createHostCheck({ host: '0.0.0.0' });
  fc.assert(fc.property(fc.string(), (host) => typeof isAllowed(host) === 'boolean'));
});
