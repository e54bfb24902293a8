import { GatewayError } from './client/gateway-error.ts';
import type { PublishedEvent, PublishEvent } from './gateway-client.ts';
import { findGateway } from './glue/gateway-node.ts';
import { idempotencyKey } from './glue/idempotency-key.ts';
import { readProperty } from './glue/node-property.ts';
import type { TypedProperty } from './glue/node-property.ts';
import type { Done, NodeConfig, NodeMessage, NodeRed, NodeStatus, RuntimeNode } from './glue/node-red-api.ts';
import { gatewayStatus, NO_GATEWAY } from './glue/node-status.ts';
import { createStatusLine } from './glue/status-line.ts';

interface PublishConfig extends NodeConfig {
  gateway?: string;
  /** The event's type. @default msg.topic */
  event?: string;
  eventType?: string;
  /** Its data. @default msg.payload */
  data?: string;
  dataType?: string;
  /** Its id. @default derived, so that a flow that runs again for the same event publishes once */
  key?: string;
  keyType?: string;
  /** When it happened: ISO 8601, or Unix milliseconds. @default now */
  time?: string;
  timeType?: string;
  /** Mark the event as a test. */
  test?: boolean;
}

/** `hookline-publish`: a message becomes an event of the gateway. */
export default function registerPublish(RED: NodeRed): void {
  RED.nodes.registerType('hookline-publish', PublishNode);

  function PublishNode(this: RuntimeNode, config: PublishConfig): void {
    RED.nodes.createNode(this, config);
    const gateway = findGateway(RED, config.gateway);
    const properties: PublishProperties = {
      type: typed(config.event, config.eventType, { value: 'topic', type: 'msg' }),
      data: typed(config.data, config.dataType, { value: 'payload', type: 'msg' }),
      id: optional(config.key, config.keyType),
      time: optional(config.time, config.timeType),
    };
    let published = 0;
    let last: NodeStatus | null = null;
    const line = createStatusLine(this, (): NodeStatus => {
      if (gateway === null) return NO_GATEWAY;
      return gatewayStatus(gateway.state) ?? last ?? {};
    });
    line.refresh();
    gateway?.register({ node: this, onState: () => line.refresh() });

    const publish = async (msg: NodeMessage, send: (msg: NodeMessage) => void, done: Done): Promise<void> => {
      let problem: Error | undefined;
      try {
        if (gateway === null)
          throw new GatewayError('NOT_CONFIGURED', 'The node names no gateway; choose one in it.');
        const event = await readEvent(RED, this, msg, properties, config.test ?? false);
        const stored = await gateway.client().publishEvent(event);
        published += 1;
        last = publishedStatus(RED, published, stored);
        msg.event = stored.event;
        send(msg);
      } catch (error) {
        problem = error as Error;
        last = { fill: 'red', shape: 'dot', text: 'hookline-publish.status.failed' };
      }
      line.refresh();
      done(problem);
    };
    this.on('input', (msg, send, done) => {
      void publish(msg, send, done);
    });

    this.on('close', (_removed: boolean, done: () => void) => {
      line.close();
      gateway?.deregister(this.id);
      done();
    });
  }
}

interface PublishProperties {
  type: TypedProperty;
  data: TypedProperty;
  /** null: derived. */
  id: TypedProperty | null;
  /** null: now. */
  time: TypedProperty | null;
}

function optional(value: string | undefined, type: string | undefined): TypedProperty | null {
  return type === undefined || type === 'auto' ? null : { value: value ?? '', type };
}

function typed(value: string | undefined, type: string | undefined, fallback: TypedProperty): TypedProperty {
  return value === undefined || value === '' || type === undefined ? fallback : { value, type };
}

async function readEvent(
  RED: NodeRed,
  node: RuntimeNode,
  msg: NodeMessage,
  properties: PublishProperties,
  isTest: boolean,
): Promise<PublishEvent> {
  const type = await readProperty(RED, node, msg, properties.type);
  if (typeof type !== 'string' || type.trim() === '') {
    throw badInput(
      'type',
      `The event has no type: ${describe(properties.type)} is empty or not text. Set it, or enter the type in the node.`,
    );
  }
  const data = await readProperty(RED, node, msg, properties.data);
  if (data === undefined || data === null) {
    throw badInput(
      'data',
      `The event has no data: ${describe(properties.data)} is empty. Set it to an object.`,
    );
  }
  if (Buffer.isBuffer(data)) {
    throw badInput(
      'data',
      `The event's data is a Buffer: turn ${describe(properties.data)} into an object with a json node.`,
    );
  }
  return {
    id:
      properties.id === null
        ? `evt_${idempotencyKey(msg, node.id, [type, data])}`
        : await readId(RED, node, msg, properties.id),
    type: type.trim(),
    data,
    ...(properties.time === null ? {} : { timestamp: await readTime(RED, node, msg, properties.time) }),
    // What follows from a test is a test.
    test: isTest || msg.event?.test === true,
    hops: typeof msg.event?.hops === 'number' ? msg.event.hops + 1 : 0,
  };
}

async function readId(
  RED: NodeRed,
  node: RuntimeNode,
  msg: NodeMessage,
  property: TypedProperty,
): Promise<string> {
  const id = await readProperty(RED, node, msg, property);
  if ((typeof id === 'string' && id !== '') || typeof id === 'number') return String(id);
  throw badInput(
    'id',
    `The event has no id: ${describe(property)} is empty. Set it, or let the node choose the id.`,
  );
}

async function readTime(
  RED: NodeRed,
  node: RuntimeNode,
  msg: NodeMessage,
  property: TypedProperty,
): Promise<string> {
  const time = await readProperty(RED, node, msg, property);
  const atMs = typeof time === 'number' ? time : typeof time === 'string' ? Date.parse(time) : Number.NaN;
  if (Number.isFinite(atMs) && Math.abs(atMs) <= LATEST_TIME_MS) return new Date(atMs).toISOString();
  throw badInput(
    'time',
    `The event has no time: ${describe(property)} is neither ISO 8601 nor Unix milliseconds.`,
  );
}

/** What a Date can hold. */
const LATEST_TIME_MS = 8.64e15;

function describe({ value, type }: TypedProperty): string {
  return type === 'msg' ? `msg.${value}` : `its ${type} value`;
}

function badInput(field: string, message: string): GatewayError {
  return new GatewayError('BAD_USER_INPUT', message, { field });
}

function publishedStatus(
  RED: NodeRed,
  count: number,
  { catalogued, schemaErrors }: PublishedEvent,
): NodeStatus {
  if (!catalogued) return { fill: 'yellow', shape: 'dot', text: 'hookline-publish.status.uncatalogued' };
  if (schemaErrors.length > 0) {
    return {
      fill: 'yellow',
      shape: 'dot',
      text: RED._('hookline-publish.status.schema', { count: schemaErrors.length }),
    };
  }
  return { fill: 'green', shape: 'dot', text: RED._('hookline-publish.status.published', { count }) };
}
