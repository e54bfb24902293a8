import type { ExchangeContext } from './exchange.ts';
import type { PostRequest, PostResult } from './post-request.ts';
import type { WheelEntry } from './timer-wheel.ts';

/**
 * Takes what is sent to `inspector:<bin>`: the built-in request inspector, in this process.
 * Its answer is bounded and timed like that of any receiver.
 */
export type InternalTarget = (
  binId: string,
  request: PostRequest,
) => Promise<{ statusCode: number; headers: Record<string, string>; body: string | Uint8Array }>;

/** Hands a request to the inspector; the result has the shape of one that went over the network. */
export function deliverInternally(
  context: ExchangeContext,
  target: InternalTarget | undefined,
  binId: string,
  request: PostRequest,
): Promise<PostResult> {
  const startedAt = context.clock.now();
  const elapsed = (): number => context.clock.now() - startedAt;
  if (target === undefined) {
    const error = { code: 'INSPECTOR_OFF', message: 'the built-in inspector is not running' };
    return Promise.resolve({ outcome: 'CONNECT', bytesSent: false, error, durationMs: 0 });
  }
  return new Promise((resolve) => {
    const deadline: WheelEntry = {
      dueTick: 0,
      expire() {
        const message = `the built-in inspector did not answer within ${request.timeoutMs} ms`;
        const error = { code: 'ANSWER_TIMEOUT', message };
        resolve({ outcome: 'TIMEOUT', bytesSent: true, error, durationMs: elapsed() });
      },
    };
    context.wheel.add(deadline, request.timeoutMs, startedAt);
    void answerOf(target, binId, request).then((answer) => {
      context.wheel.remove(deadline);
      return resolve({ ...answer, bytesSent: true, durationMs: elapsed() });
    });
  });
}

async function answerOf(
  target: InternalTarget,
  binId: string,
  request: PostRequest,
): Promise<Omit<PostResult, 'bytesSent' | 'durationMs'>> {
  try {
    const { statusCode, headers, body } = await target(binId, request);
    const bytes =
      typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.length);
    return {
      outcome: 'RESPONSE',
      statusCode,
      headers,
      body: bytes.toString('utf8', 0, request.maxResponseBytes),
      bodyTruncated: bytes.length > request.maxResponseBytes,
    };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return {
      outcome: 'UNKNOWN',
      error: { code: 'INSPECTOR_FAILED', message: `the built-in inspector failed: ${reason}` },
    };
  }
}
