import { expect, it } from 'vitest';
import { parseGatewayAddress } from '../../../nodes/client/gateway-address.ts';

it.each([
  ['http://127.0.0.1:4000', 'http://127.0.0.1:4000', 'ws://127.0.0.1:4000/graphql'],
  [' https://mes.example/hookline/ ', 'https://mes.example/hookline', 'wss://mes.example/hookline/graphql'],
  ['http://localhost:4000/graphql', 'http://localhost:4000', 'ws://localhost:4000/graphql'],
])('understands %s', (text, base, websocket) => {
  expect(parseGatewayAddress(text)).toEqual({ base, http: `${base}/graphql`, websocket });
});

it.each(['', 'localhost:4000', 'ftp://host/', 'http://user:secret@host/', 'http://'])(
  'does not take "%s"',
  (text) => {
    expect(parseGatewayAddress(text)).toBeNull();
  },
);
