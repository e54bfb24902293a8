import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../gateway/clock.ts';
import { createEgress } from '../../gateway/egress/post.ts';
import type { Egress, EgressOptions, PostRequest } from '../../gateway/egress/post.ts';
import { shareLookups, systemLookup } from '../../gateway/egress/system-lookup.ts';
import type { Lookup } from '../../gateway/egress/system-lookup.ts';
import { startReceiver } from '../support/http-receiver.ts';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  while (open.length > 0) await open.pop()!.close();
});

function egressWith(options: Partial<EgressOptions> = {}): Egress {
  const egress = createEgress({ allow: ['127.0.0.1/32'], clock: systemClock, ...options });
  open.push(egress);
  return egress;
}

async function receiverWith(options: Parameters<typeof startReceiver>[0] = {}) {
  const receiver = await startReceiver(options);
  open.push(receiver);
  return receiver;
}

function requestTo(url: string): PostRequest {
  return { url, headers: {}, body: 'x', timeoutMs: 10_000, maxResponseBytes: 4096 };
}

/** Answers the given lists in turn; the last one repeats. */
function answersInTurn(...answers: string[][]): Lookup & { asked: string[] } {
  const asked: string[] = [];
  const lookup = async (hostname: string): Promise<string[]> => {
    asked.push(hostname);
    return answers[Math.min(asked.length, answers.length) - 1] ?? [];
  };
  return Object.assign(lookup, { asked });
}

describe('every connection', () => {
  test('goes to the vetted address, with the name in the Host header', async () => {
    const receiver = await receiverWith({ script: [{ fault: 'close' }] });
    const lookup = answersInTurn(['127.0.0.1']);
    const egress = egressWith({ lookup });
    const url = `http://plc-7.test:${receiver.port}/andon`;
    expect(await egress.vet(url)).toMatchObject({ kind: 'network', addresses: ['127.0.0.1'] });
    expect(await egress.post(requestTo(url))).toMatchObject({ outcome: 'RESPONSE' });
    expect(await egress.post(requestTo(url))).toMatchObject({ outcome: 'RESPONSE' });
    expect(receiver.requests[0]?.headers['host']).toBe(`plc-7.test:${receiver.port}`);
    // Once when vetted, once per connection.
    expect(lookup.asked).toEqual(['plc-7.test', 'plc-7.test', 'plc-7.test']);
  });

  test('asks DNS once per connection, not once per request', async () => {
    const receiver = await receiverWith();
    const lookup = answersInTurn(['127.0.0.1']);
    const egress = egressWith({ lookup });
    for (let i = 0; i < 10; i++) await egress.post(requestTo(`http://plc.test:${receiver.port}/`));
    expect(receiver.connections.accepted).toBeLessThanOrEqual(2);
    expect(lookup.asked).toHaveLength(receiver.connections.accepted);
  });

  test('tries the next vetted address where the first does not answer', async () => {
    const receiver = await receiverWith();
    // Nothing listens on this port at ::1.
    const egress = egressWith({
      allow: ['127.0.0.1/32', '::1/128'],
      lookup: answersInTurn(['::1', '127.0.0.1']),
    });
    const result = await egress.post(requestTo(`http://plc.test:${receiver.port}/`));
    expect(result).toMatchObject({ outcome: 'RESPONSE' });
  });

  test('is refused when the name has come to mean another address since it was vetted', async () => {
    const receiver = await receiverWith();
    const warnings: unknown[] = [];
    const egress = egressWith({
      lookup: answersInTurn(['127.0.0.1'], ['127.0.0.2']),
      log: { warn: (fields) => warnings.push(fields) },
    });
    const url = `http://rebind.test:${receiver.port}/`;
    expect(await egress.vet(url)).toMatchObject({ kind: 'network', addresses: ['127.0.0.1'] });
    const result = await egress.post(requestTo(url));
    expect(result).toMatchObject({ outcome: 'REFUSED_BY_POLICY', bytesSent: false });
    expect(result.error?.message).toMatch(
      /^rebind\.test resolves to 127\.0\.0\.2, a loopback address; add 127\.0\.0\.2\/32/,
    );
    expect(receiver.connections.accepted).toBe(0);
    expect(warnings).toHaveLength(1);
  });

  test('is judged anew after a first good one', async () => {
    const receiver = await receiverWith({ script: [{ fault: 'close' }] });
    const egress = egressWith({ lookup: answersInTurn(['127.0.0.1'], ['169.254.169.254'], ['127.0.0.1']) });
    const url = `http://rebind.test:${receiver.port}/`;
    const outcomes = [];
    for (let i = 0; i < 3; i++) outcomes.push((await egress.post(requestTo(url))).outcome);
    expect(outcomes).toEqual(['RESPONSE', 'REFUSED_BY_POLICY', 'RESPONSE']);
  });

  test.each([
    [['127.0.0.1', '127.0.0.2']],
    [['127.0.0.1', '169.254.169.254']],
    [['127.0.0.1', '::ffff:10.0.0.1']],
    [['127.0.0.1', '64:ff9b::7f00:1']],
    [['127.0.0.1', '8.8.8.8']],
  ])('is refused for the mixed answers %j', async (answers) => {
    const receiver = await receiverWith();
    const egress = egressWith({ lookup: answersInTurn(answers) });
    const result = await egress.post(requestTo(`http://mixed.test:${receiver.port}/`));
    expect(result).toMatchObject({ outcome: 'REFUSED_BY_POLICY', bytesSent: false });
    expect(receiver.connections.accepted).toBe(0);
  });

  test.each([
    ['ENOTFOUND', Promise.reject.bind(Promise, Object.assign(new Error('no'), { code: 'ENOTFOUND' }))],
    ['EAI_AGAIN', Promise.reject.bind(Promise, Object.assign(new Error('no'), { code: 'EAI_AGAIN' }))],
    ['ENOTFOUND', Promise.resolve.bind(Promise, [])],
  ] as [string, Lookup][])('that finds no address is a DNS failure (%s)', async (code, lookup) => {
    const result = await egressWith({ lookup }).post(requestTo('https://gone.test/secret'));
    expect(result).toMatchObject({ outcome: 'DNS', bytesSent: false, error: { code } });
    expect(result.error?.message).toBe(`the name gone.test does not resolve (${code})`);
  });
});

describe('a real DNS server whose answer changes', () => {
  test('is caught at the connection', async () => {
    const dns = await startDnsServer(['127.0.0.1', '127.0.0.2']);
    const receiver = await receiverWith();
    const resolver = new Resolver();
    resolver.setServers([`127.0.0.1:${dns.port}`]);
    const egress = egressWith({ lookup: (name) => resolver.resolve4(name) });
    const url = `http://rebind.test:${receiver.port}/`;
    expect(await egress.vet(url)).toMatchObject({ kind: 'network', addresses: ['127.0.0.1'] });
    expect(await egress.post(requestTo(url))).toMatchObject({ outcome: 'REFUSED_BY_POLICY' });
    expect(dns.asked).toEqual(['rebind.test', 'rebind.test']);
    expect(receiver.connections.accepted).toBe(0);
  });
});

describe('the look-up', () => {
  test('of the machine knows the machine', async () => {
    const addresses = await systemLookup('localhost');
    expect(addresses.length).toBeGreaterThan(0);
    for (const address of addresses) expect(['127.0.0.1', '::1']).toContain(address);
  });

  test('is shared while it is under way, and not kept', async () => {
    const asked: string[] = [];
    const answer = Promise.withResolvers<string[]>();
    const lookup = shareLookups((name) => {
      asked.push(name);
      return answer.promise;
    });
    const both = Promise.all([lookup('a.test'), lookup('a.test')]);
    answer.resolve(['8.8.8.8']);
    expect(await both).toEqual([['8.8.8.8'], ['8.8.8.8']]);
    await lookup('a.test');
    expect(asked).toEqual(['a.test', 'a.test']);
  });
});

describe('https', () => {
  let folder: string;
  let tls: { key: Buffer; cert: Buffer };
  const caFile = (): string => join(folder, 'cert.pem');
  const lookup: Lookup = async () => ['127.0.0.1'];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hookline-egress-'));
    const subject = '-subj /CN=receiver.test -addext subjectAltName=DNS:receiver.test,IP:127.0.0.1';
    const make = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 ${subject}`;
    const files = ['-keyout', join(folder, 'key.pem'), '-out', caFile()];
    await promisify(execFile)('openssl', [...make.split(' '), ...files]);
    tls = { key: await readFile(join(folder, 'key.pem')), cert: await readFile(caFile()) };
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('refuses a certificate of an unknown authority and says how to add it', async () => {
    const receiver = await receiverWith({ tls });
    const result = await egressWith({ lookup }).post(requestTo(`https://receiver.test:${receiver.port}/`));
    expect(result).toMatchObject({
      outcome: 'TLS',
      bytesSent: false,
      error: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    });
    expect(result.error?.message).toContain('HOOKLINE_CA_FILE');
    expect(receiver.requests).toEqual([]);
  });

  test('checks certificates whatever the environment says', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const receiver = await receiverWith({ tls });
    const result = await egressWith({ lookup }).post(requestTo(`https://receiver.test:${receiver.port}/`));
    vi.unstubAllEnvs();
    expect(result).toMatchObject({ outcome: 'TLS', bytesSent: false });
  });

  test("trusts the plant's own authority, by name and by address", async () => {
    const receiver = await receiverWith({ tls });
    const egress = egressWith({ lookup, caFile: caFile() });
    for (const host of ['receiver.test', '127.0.0.1']) {
      expect(await egress.post(requestTo(`https://${host}:${receiver.port}/`))).toMatchObject({
        outcome: 'RESPONSE',
      });
    }
    expect(receiver.requests[0]?.headers['host']).toBe(`receiver.test:${receiver.port}`);
  });

  test('refuses a certificate for another name', async () => {
    const receiver = await receiverWith({ tls });
    const egress = egressWith({ lookup, caFile: caFile() });
    const result = await egress.post(requestTo(`https://other.test:${receiver.port}/`));
    expect(result).toMatchObject({
      outcome: 'TLS',
      bytesSent: false,
      error: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    });
  });

  test('a server that speaks plain http is a TLS failure', async () => {
    const receiver = await receiverWith();
    const result = await egressWith({ lookup }).post(requestTo(`https://receiver.test:${receiver.port}/`));
    expect(result).toMatchObject({ outcome: 'TLS', bytesSent: false });
  });

  test('nobody listening is a failure to connect, not of TLS', async () => {
    const receiver = await startReceiver();
    await receiver.close();
    const result = await egressWith({ lookup }).post(requestTo(`https://receiver.test:${receiver.port}/`));
    expect(result).toMatchObject({ outcome: 'CONNECT', error: { code: 'ECONNREFUSED' } });
  });

  test('goes through a proxy, which is asked for the vetted address and told the password', async () => {
    const receiver = await receiverWith({ tls });
    const proxy = await startProxy();
    const egress = egressWith({
      lookup,
      caFile: caFile(),
      proxy: `http://us%40er:p%3Aw@127.0.0.1:${proxy.port}`,
    });
    const result = await egress.post(requestTo(`https://receiver.test:${receiver.port}/in`));
    expect(result).toMatchObject({ outcome: 'RESPONSE', statusCode: 200 });
    expect(receiver.requests[0]).toMatchObject({
      path: '/in',
      headers: { host: `receiver.test:${receiver.port}` },
    });
    const authorization = `Basic ${Buffer.from('us@er:p:w').toString('base64')}`;
    expect(proxy.asked).toEqual([{ authority: `127.0.0.1:${receiver.port}`, authorization }]);
  });

  test('checks certificates through a proxy too', async () => {
    const receiver = await receiverWith({ tls });
    const proxy = await startProxy();
    const egress = egressWith({ lookup, proxy: proxy.url });
    const result = await egress.post(requestTo(`https://receiver.test:${receiver.port}/`));
    expect(result).toMatchObject({
      outcome: 'TLS',
      bytesSent: false,
      error: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    });
  });

  test('says what is wrong with a file of authorities', () => {
    const create = (file: string) => () => createEgress({ allow: [], clock: systemClock, caFile: file });
    const configuration = (message: RegExp) =>
      expect.objectContaining({ code: 'CONFIGURATION', message: expect.stringMatching(message) });
    expect(create(join(folder, 'missing.pem'))).toThrowError(
      configuration(/HOOKLINE_CA_FILE: .*missing\.pem cannot be read/),
    );
    expect(create(join(folder, 'key.pem'))).toThrowError(configuration(/holds no certificate/));
  });

  test('says so when a certificate in the file is broken', async () => {
    const file = join(folder, 'broken.pem');
    await writeFile(file, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    expect(() => createEgress({ allow: [], clock: systemClock, caFile: file })).toThrowError(
      /cannot be parsed/,
    );
  });
});

describe('a proxy', () => {
  test('carries plain http too, over connections that are used again', async () => {
    const receiver = await receiverWith();
    const proxy = await startProxy();
    const egress = egressWith({ proxy: proxy.url });
    for (let i = 0; i < 10; i++) {
      expect(await egress.post(requestTo(receiver.url(`/${i}`)))).toMatchObject({ outcome: 'RESPONSE' });
    }
    expect(proxy.asked.length).toBeLessThanOrEqual(2);
  });

  test('is never asked for a refused address', async () => {
    const proxy = await startProxy();
    const egress = egressWith({ proxy: proxy.url, lookup: answersInTurn(['169.254.169.254']) });
    expect(await egress.post(requestTo('https://metadata.test/'))).toMatchObject({
      outcome: 'REFUSED_BY_POLICY',
    });
    expect(await egress.post(requestTo('https://169.254.169.254/'))).toMatchObject({
      outcome: 'REFUSED_BY_POLICY',
    });
    expect(proxy.asked).toEqual([]);
  });

  test.each([407, 403, 502])('that answers %i makes no connection', async (status) => {
    const proxy = await startProxy(status);
    const result = await egressWith({ proxy: proxy.url }).post(requestTo('http://127.0.0.1:9/'));
    expect(result).toMatchObject({ outcome: 'CONNECT', bytesSent: false, error: { code: 'PROXY_REFUSED' } });
    expect(result.error?.message).toContain(`answered ${status}`);
  });

  test('that is not there makes no connection', async () => {
    const receiver = await startReceiver();
    await receiver.close();
    const result = await egressWith({ proxy: receiver.origin }).post(requestTo('http://127.0.0.1:9/'));
    expect(result).toMatchObject({
      outcome: 'CONNECT',
      bytesSent: false,
      error: { code: 'PROXY_UNREACHABLE' },
    });
  });

  test('that says nothing is a time-out', async () => {
    const proxy = await startProxy('silent');
    const result = await egressWith({ proxy: proxy.url, connectTimeoutMs: 100 }).post(
      requestTo('http://127.0.0.1:9/'),
    );
    expect(result).toMatchObject({ outcome: 'TIMEOUT', bytesSent: false, error: { code: 'PROXY_TIMEOUT' } });
  });

  test.each(['nonsense', 'socks5://127.0.0.1:1080', 'http://u:%zz-secret@127.0.0.1:8080'])(
    'setting "%s" is refused without repeating it',
    (proxy) => {
      const create = () => createEgress({ allow: [], clock: systemClock, proxy });
      expect(create).toThrowError(expect.objectContaining({ code: 'CONFIGURATION' }));
      expect(create).not.toThrowError(/secret/);
    },
  );
});

/** A proxy that opens what it is asked for, or answers every CONNECT with a status. */
async function startProxy(behaviour: 'open' | 'silent' | number = 'open') {
  const asked: { authority: string | undefined; authorization: string | undefined }[] = [];
  const sockets = new Set<Socket>();
  const server = createServer().listen(0, '127.0.0.1');
  server.on('connect', (request, client: Socket) => {
    sockets.add(client.on('error', () => undefined));
    asked.push({ authority: request.url, authorization: request.headers['proxy-authorization'] });
    if (typeof behaviour === 'number') client.end(`HTTP/1.1 ${behaviour} No\r\ncontent-length: 0\r\n\r\n`);
    if (behaviour !== 'open') return;
    const { hostname, port } = new URL(`http://${request.url}`);
    const upstream = connect({ host: hostname, port: Number(port) }, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      client.pipe(upstream).pipe(client);
    });
    sockets.add(upstream.on('error', () => client.destroy()));
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  open.push({
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  });
  return { port, url: `http://127.0.0.1:${port}`, asked };
}

/** Answers A questions with these addresses in turn, over UDP, time to live 0. */
async function startDnsServer(addresses: string[]) {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (question, from) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
      labels.push(question.toString('latin1', at + 1, at + 1 + length));
      at += length + 1;
    }
    const address = addresses[Math.min(asked.push(labels.join('.')), addresses.length) - 1] ?? '';
    const header = Buffer.from([...question.subarray(0, 2), 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
    // A pointer to the name in the question, type A, class IN, time to live 0, 4 bytes.
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]);
    socket.send(Buffer.concat([header, question.subarray(12, at + 5), record]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  open.push({
    async close() {
      socket.close();
      await once(socket, 'close');
    },
  });
  return { port: socket.address().port, asked };
}
