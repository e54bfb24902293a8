import type { FlowEvent } from '../client/flow-event.ts';

/**
 * The part of Node-RED's runtime API that these nodes use, as of 4.1 to 5.
 * @see https://nodered.org/docs/creating-nodes/node-js
 */
export interface NodeRed {
  nodes: {
    createNode(node: RuntimeNode, config: NodeConfig): void;
    registerType(
      type: string,
      construct: (this: never, config: never) => void,
      options?: { credentials?: Record<string, { type: 'text' | 'password' }> },
    ): void;
    getNode(id: string): RuntimeNode | null | undefined;
  };
  events: {
    on(name: string, listener: () => void): void;
    off(name: string, listener: () => void): void;
  };
  hooks: MessageHooks;
  httpAdmin: { get(path: string, ...handlers: AdminHandler[]): void };
  auth: { needsPermission(permission: string): AdminHandler };
  util: {
    evaluateNodeProperty(
      value: string,
      type: string,
      node: RuntimeNode,
      msg: NodeMessage,
      callback: (error: Error | null, result: unknown) => void,
    ): void;
    /** A setting of a node's surroundings, such as `NR_FLOW_NAME`. */
    getSetting(node: RuntimeNode, name: string): unknown;
  };
  /** Translates a catalogue key into the runtime's language. */
  _: (key: string, values?: Record<string, string | number>) => string;
}

/** A saved node: its own settings beside these. */
export interface NodeConfig {
  id: string;
  type: string;
  name?: string;
}

/** What travels along the wires. */
export interface NodeMessage {
  _msgid?: string;
  topic?: unknown;
  payload?: unknown;
  /** The event that began the flow, or that the flow published last. */
  event?: FlowEvent;
  [name: string]: unknown;
}

/** What a node hands to its outputs: one message, or one per output, `null` for none. */
export type Outgoing = NodeMessage | (NodeMessage | null)[];

/** Ends an input; with an error, Catch nodes get the message. */
export type Done = (error?: Error) => void;

/** The line under a node. `text` is a catalogue key, or text already in the runtime's language. */
export interface NodeStatus {
  fill?: 'red' | 'green' | 'yellow' | 'blue' | 'grey';
  shape?: 'ring' | 'dot';
  text?: string;
}

/** A running node. */
export interface RuntimeNode {
  id: string;
  type: string;
  name?: string;
  /** As entered, `${NAME}` already replaced from the environment; `null` where there are none. */
  credentials?: Record<string, string | undefined> | null;
  on(event: 'input', listener: (msg: NodeMessage, send: (msg: Outgoing) => void, done: Done) => void): void;
  on(event: 'close', listener: (removed: boolean, done: () => void) => void): void;
  send(msg: Outgoing): void;
  status(status: NodeStatus): void;
  warn(text: string): void;
  error(error: unknown, msg?: NodeMessage): void;
  /** How many of its input listeners call `done`; kept by Node-RED, and not part of its documented API. */
  _expectedDoneCount?: number;
  /** Its input listeners; gone once the node is closed. */
  _inputCallback?: unknown;
  _inputCallbacks?: unknown;
}

/** Where Node-RED tells of each step of a message. A listener takes one argument, returns nothing and never throws. */
export interface MessageHooks {
  add(name: string, listener: (event: never) => void): void;
  remove(name: string): void;
}

/** A message on its way from node to node: the same object from `onSend` to `preDeliver`. */
export interface SendStep {
  msg: NodeMessage;
  destination: { id: string; node?: RuntimeNode };
}

/** A message that reaches a node (`onReceive`), or was handed to its listeners (`postReceive`). */
export interface ReceiveStep {
  msg: NodeMessage;
  destination: { id: string; node: RuntimeNode };
}

/** A node is through with a message. */
export interface CompleteStep {
  msg: NodeMessage;
  node: { id: string; node: RuntimeNode };
  error?: unknown;
}

/** A handler of the editor's own HTTP API. */
export type AdminHandler = (request: AdminRequest, response: AdminResponse, next: () => void) => void;

export interface AdminRequest {
  params: Record<string, string | undefined>;
}

export interface AdminResponse {
  status(code: number): AdminResponse;
  json(body: unknown): void;
}
