import { readDeliveryResult } from './delivery-result.ts';
import type { AppliedEndpoint, FlowEndpoint, SentDelivery, WorkItem } from '../gateway-client.ts';
import { closedMeanwhile, GatewayError, unreachable } from '../client/gateway-error.ts';
import type { GatewayNode } from './gateway-node.ts';
import { realWait } from '../client/growing-pause.ts';
import { idempotencyKey } from './idempotency-key.ts';
import { toContext } from './message-context.ts';
import type { Done, NodeMessage, NodeRed, NodeStatus, RuntimeNode } from './node-red-api.ts';
import { gatewayStatus, NO_GATEWAY } from './node-status.ts';
import { createStatusLine } from './status-line.ts';
import { resultStatus, troubleStatus } from './webhook-status.ts';

/** A message may come before the first declaration is through: right after a deploy. */
const DECLARATION_WAIT_MS = 10_000;

/** Results in the flow at a time. */
const RESULTS_PREFETCH = 8;

/**
 * Makes a node deliver its messages to the endpoint, and send on what became of them: output 1 arrived, output 2 given
 * up. An input is done when the gateway has it durably; its result may come days and restarts later.
 * Without a URL nothing is declared, and inputs fail.
 * @returns a function that ends it.
 */
export function sendWebhooks(
  RED: NodeRed,
  node: RuntimeNode,
  gateway: GatewayNode | null,
  endpoint: FlowEndpoint,
): () => Promise<void> {
  const closing = new AbortController();
  const hasUrl = endpoint.url !== undefined && endpoint.url !== '';
  let declared = awaitDeclaration();
  let refusal: GatewayError | null = null;
  let isActive = true;
  let resultsEndpointId: string | null = null;
  let stopResults: (() => void) | null = null;
  let last: NodeStatus = {};
  /** Sends that wait for their answer, and deliveries that were over before it came. */
  let sending = 0;
  const overEarly = new Set<string>();

  const line = createStatusLine(node, (): NodeStatus => {
    if (gateway === null) return NO_GATEWAY;
    if (!hasUrl) return { fill: 'grey', shape: 'ring', text: 'hookline-webhook.status.noUrl' };
    const unconnected = gatewayStatus(gateway.state);
    if (unconnected !== null) return unconnected;
    if (refusal !== null) return { fill: 'red', shape: 'ring', text: 'hookline-webhook.status.refused' };
    return isActive ? last : { fill: 'grey', shape: 'ring', text: 'hookline-webhook.status.off' };
  });
  const show = (status: NodeStatus | null): void => {
    if (status === null) return;
    last = status;
    line.refresh();
  };
  line.refresh();

  const onResult = (item: WorkItem): void => {
    const { deliveryId, outcome, msg } = readDeliveryResult(item);
    if (sending > 0) overEarly.add(deliveryId);
    show(resultStatus(outcome, Date.now(), RED._));
    if (msg !== null) node.send(outcome === 'succeeded' ? [msg, null] : [null, msg]);
    gateway
      ?.client()
      .settle({ deliveryId: item.deliveryId, token: item.token, outcome: 'SUCCEEDED' })
      .catch((error: GatewayError) => {
        if (error.code !== 'CLOSED') node.warn(error.message);
      });
  };

  gateway?.register({
    node,
    ...(hasUrl ? { endpoint } : {}),
    onState: () => line.refresh(),
    onTrouble: (delivery) => show(troubleStatus(delivery, Date.now(), RED._)),
    onRefused: (error) => {
      refusal = error;
      node.error(error.message);
      declared.reject(error);
      declared = awaitDeclaration();
      line.refresh();
    },
    onApplied: (applied) => {
      refusal = null;
      isActive = applied.endpoint.active && !applied.endpoint.paused;
      declared.resolve(applied);
      line.refresh();
      if (applied.resultsEndpointId === null || applied.resultsEndpointId === resultsEndpointId) return;
      stopResults?.();
      resultsEndpointId = applied.resultsEndpointId;
      stopResults = gateway.client().work(resultsEndpointId, RESULTS_PREFETCH, {
        onItem: onResult,
        onError: (error) => {
          if (error.code === 'NOT_FOUND') gateway.redeclare();
        },
      });
    },
  });

  const sendMessage = async (msg: NodeMessage): Promise<SentDelivery> => {
    if (gateway === null)
      throw new GatewayError('NOT_CONFIGURED', 'The node names no gateway; choose one in it.');
    if (!hasUrl) throw new GatewayError('NOT_CONFIGURED', 'The node has no URL; enter where to deliver to.');
    const { payload } = msg;
    if (payload === undefined || payload === null || Buffer.isBuffer(payload)) {
      throw new GatewayError(
        'BAD_USER_INPUT',
        'msg.payload is empty or a Buffer; set it to what is to be delivered (a json node turns a Buffer into an object).',
        { field: 'payload' },
      );
    }
    const client = gateway.client();
    if (refusal !== null) throw refusal;
    const { endpoint: target } = await within(declared.promise, gateway, closing.signal);
    return client.sendToEndpoint({
      endpointId: target.id,
      payload,
      eventId: typeof msg.event?.id === 'string' ? msg.event.id : null,
      idempotencyKey: idempotencyKey(msg, node.id, payload),
      context: toContext(msg),
    });
  };

  const queueMessage = async (msg: NodeMessage, done: Done): Promise<void> => {
    sending += 1;
    let problem: Error | undefined;
    try {
      const { id } = await sendMessage(msg);
      if (!overEarly.has(id)) show({ fill: 'blue', shape: 'dot', text: 'hookline-webhook.status.queued' });
    } catch (error) {
      problem = error as Error;
      show({ fill: 'red', shape: 'dot', text: 'hookline-webhook.status.notQueued' });
    }
    sending -= 1;
    if (sending === 0) overEarly.clear();
    done(problem);
  };
  node.on('input', (msg, _send, done) => {
    void queueMessage(msg, done);
  });

  return async () => {
    line.close();
    closing.abort();
    gateway?.deregister(node.id);
    if (stopResults === null) return;
    await gateway?.client().flush();
    stopResults();
  };
}

/** A promise that may be refused with nobody waiting for it: then the refusal is in the status. */
function awaitDeclaration(): PromiseWithResolvers<AppliedEndpoint> {
  const declaration = Promise.withResolvers<AppliedEndpoint>();
  declaration.promise.catch(() => undefined);
  return declaration;
}

/** The declared endpoint, or why there is none yet. */
async function within(
  declared: Promise<AppliedEndpoint>,
  gateway: GatewayNode,
  closed: AbortSignal,
): Promise<AppliedEndpoint> {
  const known = new AbortController();
  const late = realWait(DECLARATION_WAIT_MS, AbortSignal.any([closed, known.signal])).then(
    () => {
      throw gateway.state.kind === 'disconnected' ? gateway.state.error : unreachable(gateway.baseUrl ?? '');
    },
    () => {
      throw closedMeanwhile();
    },
  );
  try {
    return await Promise.race([declared, late]);
  } finally {
    known.abort();
    late.catch(() => undefined);
  }
}
