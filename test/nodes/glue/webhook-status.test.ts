import { expect, it } from 'vitest';
import type { TroubledDelivery } from '../../../nodes/gateway-client.ts';
import { resultStatus, troubleStatus } from '../../../nodes/glue/webhook-status.ts';

const translate = (key: string, values: Record<string, string | number>): string =>
  `${key} ${JSON.stringify(values)}`;
const now = new Date(2026, 2, 9, 13, 5).getTime();
const delivery = (over: Partial<TroubledDelivery>): TroubledDelivery => ({
  id: 'dlv_1',
  status: 'RETRYING',
  attemptCount: 2,
  nextAttemptAt: new Date(2026, 2, 9, 14, 5).toISOString(),
  endpoint: { id: 'ep_1' },
  ...over,
});

it('names the next attempt and its time of day', () => {
  expect(troubleStatus(delivery({}), now, translate)).toEqual({
    fill: 'yellow',
    shape: 'ring',
    text: 'hookline-webhook.status.retrying {"attempt":3,"time":"14:05"}',
  });
});

it('names the day where the next attempt is not today', () => {
  const nextAttemptAt = new Date(2026, 2, 10, 14, 5).toISOString();
  const status = troubleStatus(delivery({ status: 'FAILED', nextAttemptAt }), now, translate);
  expect(status).toMatchObject({ fill: 'red', text: expect.stringContaining('10') });
  expect(status!.text).not.toContain('14:05');
});

it('says that a delivery is held', () => {
  expect(troubleStatus(delivery({ status: 'HELD', nextAttemptAt: null }), now, translate)).toMatchObject({
    fill: 'grey',
  });
});

it.each(['EXHAUSTED', 'REJECTED'])('leaves %s to the result', (status) => {
  expect(troubleStatus(delivery({ status, nextAttemptAt: null }), now, translate)).toBeNull();
});

it('says when a delivery arrived, and what kept another one from it', () => {
  expect(resultStatus('succeeded', now, translate)).toMatchObject({
    fill: 'green',
    text: expect.stringContaining('13:05'),
  });
  expect(resultStatus('expired', now, translate)).toMatchObject({
    fill: 'red',
    text: 'hookline-webhook.status.expired',
  });
});
