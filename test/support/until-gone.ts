import { connect } from 'node:net';

/**
 * Waits until the process that listens at a URL has ended: at once where nobody listens any more, else when the
 * connection that is held to it breaks off.
 * @throws where it is still there after `limitMs`
 */
export async function untilGone(url: string, limitMs = 10_000): Promise<void> {
  const { hostname, port } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect(Number(port), hostname);
  // Refused, or reset by the end of the process: both say what is asked, and end in `close`.
  socket.on('error', () => {});
  socket.on('close', () => resolve());
  socket.resume();
  const timer = setTimeout(() => {
    reject(new Error(`The process that listens at ${url} did not end within ${limitMs} ms.`));
    socket.destroy();
  }, limitMs);
  await promise;
  clearTimeout(timer);
}
