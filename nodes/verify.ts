import { schemeNamed } from '../gateway/signing/schemes.ts';
import type { CustomOptions, Verifier } from '../gateway/signing/scheme.ts';
import type { IncomingHeaders } from '../gateway/signing/verification.ts';
import type { NodeConfig, NodeMessage, NodeRed, NodeStatus, RuntimeNode } from './glue/node-red-api.ts';
import { createStatusLine } from './glue/status-line.ts';

interface VerifyConfig extends NodeConfig {
  /** Name of a signature scheme. */
  scheme?: string;
  /** Seconds that a signed time may lie from now; empty: 300, `0`: not checked. Text, as the dialog gives it. */
  tolerance?: string | number;
  /** Leave `msg.payload` as the bytes that came. */
  keepRaw?: boolean;
  /** The rest is for the scheme `custom`. */
  header?: string;
  prefix?: string;
  encoding?: CustomOptions['encoding'];
  digest?: CustomOptions['digest'];
  template?: string;
  timestampHeader?: string;
  idHeader?: string;
}

/** `hookline-verify`: a raw request goes to output 1 where its signature is right, to output 2 where it is not. */
export default function registerVerify(RED: NodeRed): void {
  RED.nodes.registerType('hookline-verify', VerifyNode, { credentials: { secret: { type: 'password' } } });

  function VerifyNode(this: RuntimeNode, config: VerifyConfig): void {
    RED.nodes.createNode(this, config);
    const scheme = config.scheme ?? 'mes';
    const prepared = prepare(config, scheme, this.credentials?.['secret'] ?? '');
    let verified = 0;
    let rejection: Rejection | null = null;
    let isWarned = false;
    const line = createStatusLine(this, (): NodeStatus => {
      if (typeof prepared !== 'function')
        return { fill: 'red', shape: 'ring', text: statusText(prepared.reason) };
      if (rejection !== null) return { fill: 'red', shape: 'dot', text: statusText(rejection.reason) };
      return verified === 0
        ? {}
        : { fill: 'green', shape: 'dot', text: RED._('hookline-verify.status.valid', { count: verified }) };
    });
    line.refresh();
    if (typeof prepared !== 'function' && prepared.reason !== 'no_secret') this.warn(prepared.message);

    this.on('input', (msg, send, done) => {
      const outcome = typeof prepared === 'function' ? check(prepared, msg) : prepared;
      rejection = outcome.valid ? null : outcome;
      if (outcome.valid) {
        verified += 1;
        msg['verified'] = { scheme, signedAt: outcome.signedAt };
        msg.payload = config.keepRaw === true ? outcome.body : parseBody(outcome.body);
        send([msg, null]);
      } else {
        // A mistake in the flow, not of the sender: whoever built it should read of it.
        if (outcome.reason === 'body_parsed' && !isWarned) this.warn(outcome.message);
        isWarned ||= outcome.reason === 'body_parsed';
        msg['rejection'] = { reason: outcome.reason, message: outcome.message };
        msg['statusCode'] = 401;
        msg.payload = { error: 'Invalid signature' };
        send([null, msg]);
      }
      line.refresh();
      done();
    });

    this.on('close', (_removed: boolean, done: () => void) => {
      line.close();
      done();
    });
  }
}

interface Rejection {
  valid: false;
  /** A reason of `gateway/signing/verification.ts`, `body_parsed`, `no_secret` or `wrong_settings`. */
  reason: string;
  message: string;
}

/** Prepares the keys once; what cannot work rejects everything. */
function prepare(config: VerifyConfig, scheme: string, secret: string): Verifier | Rejection {
  if (secret === '') {
    return {
      valid: false,
      reason: 'no_secret',
      message: 'The node has no secret; enter the one that both sides share.',
    };
  }
  const { header, prefix, encoding, digest, template, timestampHeader, idHeader } = config;
  try {
    return schemeNamed(scheme).prepareVerifier({
      secrets: [secret],
      toleranceSeconds: toleranceOf(config.tolerance),
      custom: {
        headerName: header ?? '',
        prefix,
        encoding,
        digest,
        template: template === '' ? undefined : template,
        timestampHeader: timestampHeader === '' ? undefined : timestampHeader,
        idHeader: idHeader === '' ? undefined : idHeader,
      },
    });
  } catch (error) {
    return { valid: false, reason: 'wrong_settings', message: (error as Error).message };
  }
}

function toleranceOf(entered: string | number | undefined): number | null | undefined {
  if (entered === undefined || entered === '') return undefined;
  const seconds = Number(entered);
  if (!Number.isFinite(seconds) || seconds < 0) return undefined;
  return seconds === 0 ? null : seconds;
}

function check(
  verify: Verifier,
  msg: NodeMessage,
): Rejection | { valid: true; body: Buffer | string; signedAt: string | null } {
  const { payload } = msg;
  const body = payload === undefined || payload === null ? '' : payload;
  if (typeof body !== 'string' && !Buffer.isBuffer(body)) {
    return {
      valid: false,
      reason: 'body_parsed',
      message:
        'The body was parsed before its signature could be checked: set "Do not parse request body" in the http in node, ' +
        'and give it a URL without :parameters, because Node-RED parses those all the same.',
    };
  }
  const outcome = verify({ body, headers: headersOf(msg), nowSeconds: Date.now() / 1000 });
  if (!outcome.valid) return outcome;
  const { timestampSeconds } = outcome;
  return {
    valid: true,
    body,
    signedAt: timestampSeconds === null ? null : new Date(timestampSeconds * 1000).toISOString(),
  };
}

function headersOf(msg: NodeMessage): IncomingHeaders {
  const { headers } = (msg['req'] ?? msg) as { headers?: unknown };
  return typeof headers === 'object' && headers !== null ? (headers as IncomingHeaders) : {};
}

/** JSON as its value; another body, such as a form, as text. */
function parseBody(body: Buffer | string): unknown {
  const text = body.toString();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function statusText(reason: string): string {
  if (reason === 'no_secret') return 'hookline-verify.status.noSecret';
  if (reason === 'wrong_settings') return 'hookline-verify.status.settings';
  if (reason.startsWith('missing_')) return 'hookline-verify.status.missing';
  if (reason.startsWith('timestamp_')) return 'hookline-verify.status.time';
  if (reason === 'body_parsed') return 'hookline-verify.status.parsed';
  return 'hookline-verify.status.rejected';
}
