import type { IncomingMessage } from 'node:http';
import { badInput, HooklineError } from '../errors.ts';

/** The largest body of a request. Documents and variables are small; events in bulk come in elsewhere. */
export const MAX_BODY_BYTES = 262_144;

/**
 * Reads a JSON body, and no more of it than is allowed.
 * @throws TOO_LARGE, UNSUPPORTED_ENCODING for a compressed one, BAD_USER_INPUT for what is no JSON
 */
export async function readJsonBody(request: IncomingMessage): Promise<unknown> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new HooklineError('UNSUPPORTED_ENCODING', 'The body is compressed; send it as it is.');
  }
  const bytes = await readBytes(request);
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    throw badInput('body', 'The body is not JSON; send {"query": "…", "variables": {…}}.');
  }
}

/** Whether more may come than is allowed, so that the connection is better closed than read to its end. */
export function mayBeTooLarge(request: IncomingMessage): boolean {
  const { 'content-length': length, 'transfer-encoding': transfer } = request.headers;
  return transfer !== undefined || Number(length ?? 0) > MAX_BODY_BYTES;
}

function readBytes(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const tooLarge = (): void => {
      reject(
        new HooklineError(
          'TOO_LARGE',
          `The body is larger than ${MAX_BODY_BYTES} bytes; ask in several requests.`,
        ),
      );
    };
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return tooLarge();
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer): void => {
      size += chunk.byteLength;
      if (size <= MAX_BODY_BYTES) {
        chunks.push(chunk);
        return;
      }
      request.off('data', onData);
      request.pause();
      tooLarge();
    };
    request.on('data', onData);
    request.once('end', () => resolve(Buffer.concat(chunks)));
    const broken = (): void =>
      reject(badInput('body', 'The connection broke before the whole body was there; send it again.'));
    request.once('error', broken);
    request.once('close', broken);
  });
}
