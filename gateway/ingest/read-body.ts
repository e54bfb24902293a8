import type { IncomingMessage } from 'node:http';

/**
 * Reads a request's bytes as they came, at most `maxBytes`.
 * @param hold told the size of each chunk as it comes; false refuses it, and whoever holds lets go of the total
 * @returns `too_large` or `refused` as soon as that is known (the rest is not kept), `aborted` where the sender
 *   went away.
 */
export function readBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<Buffer | 'too_large' | 'aborted'>;
export function readBody(
  request: IncomingMessage,
  maxBytes: number,
  hold: (bytes: number) => boolean,
): Promise<Buffer | 'too_large' | 'refused' | 'aborted'>;
export function readBody(
  request: IncomingMessage,
  maxBytes: number,
  hold: (bytes: number) => boolean = () => true,
): Promise<Buffer | 'too_large' | 'refused' | 'aborted'> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes) {
    request.resume();
    return Promise.resolve('too_large');
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let ended = false;
    const end = (result: Buffer | 'too_large' | 'refused' | 'aborted'): void => {
      ended = true;
      chunks.length = 0;
      resolve(result);
    };
    request.on('data', (chunk: Buffer) => {
      if (ended) return;
      bytes += chunk.length;
      if (bytes > maxBytes) end('too_large');
      else if (hold(chunk.length)) chunks.push(chunk);
      else end('refused');
    });
    request.on('end', () => {
      if (!ended) end(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
    });
    request.on('error', () => end('aborted'));
    request.on('close', () => end('aborted'));
  });
}
