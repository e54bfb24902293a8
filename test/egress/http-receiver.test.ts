import { expect, test } from 'vitest';
import { startReceiver } from '../support/http-receiver.ts';

test('records what arrives and answers in the order of its script', async () => {
  await using receiver = await startReceiver({ script: [{ status: 500 }, { status: 202, body: 'ok' }] });
  const post = () => fetch(receiver.url('/in?a=1'), { method: 'POST', headers: { 'X-One': '1' }, body: 'x' });
  const statuses = [];
  for (let i = 0; i < 3; i++) statuses.push((await post()).status);
  expect(statuses).toEqual([500, 202, 202]);
  expect(receiver.requests[0]).toMatchObject({
    method: 'POST',
    path: '/in?a=1',
    headers: { 'x-one': '1' },
    body: Buffer.from('x'),
  });

  receiver.respond((request, index) => ({ body: `${request.path} ${index}` }));
  expect(await (await post()).text()).toBe('/in?a=1 3');
  receiver.respond({ status: 410 });
  expect((await post()).status).toBe(410);
});

test('waits for a number of requests or for one like this', async () => {
  await using receiver = await startReceiver();
  const third = receiver.waitFor(3);
  const special = receiver.waitFor((request) => request.path === '/special');
  for (const path of ['/a', '/special', '/c']) void fetch(receiver.url(path));
  expect(await third).toHaveLength(3);
  expect(await special).toMatchObject([{ path: '/special' }]);
  expect(await receiver.waitFor(1)).toHaveLength(3);
});

test('answers when the test says', async () => {
  await using receiver = await startReceiver();
  const release = Promise.withResolvers<void>();
  receiver.respond({ after: release.promise, status: 204 });
  const answer = fetch(receiver.url());
  await receiver.waitFor(1);
  release.resolve();
  expect((await answer).status).toBe(204);
});

test('tells a test that waits in vain when it is closed', async () => {
  const receiver = await startReceiver();
  const waiting = receiver.waitFor(2);
  await receiver.close();
  await expect(waiting).rejects.toThrow('waited for 2 requests; 0 came');
  await receiver.close();
});
