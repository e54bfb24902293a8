import { parseGatewayAddress } from './client/gateway-address.ts';
import { createGatewayClient } from './gateway-client.ts';
import type { GatewayClient } from './gateway-client.ts';
import { GatewayError } from './client/gateway-error.ts';
import type { LiveState } from './client/gateway-socket.ts';
import type { GatewayNode, GatewayState, GatewayUser } from './glue/gateway-node.ts';
import { createFlowDeclaration } from './glue/flow-declaration.ts';
import { serveGatewayPages } from './glue/gateway-pages.ts';
import { realWait } from './client/growing-pause.ts';
import type { NodeConfig, NodeRed } from './glue/node-red-api.ts';
import { followTroubles } from './glue/trouble-feed.ts';

interface GatewayConfig extends NodeConfig {
  url?: string;
}

/** `hookline-gateway`: the gateway that the other nodes talk to. */
export default function registerGateway(RED: NodeRed): void {
  RED.nodes.registerType('hookline-gateway', GatewayConfigNode, {
    credentials: { key: { type: 'password' } },
  });
  serveGatewayPages(RED);

  function GatewayConfigNode(this: GatewayNode, config: GatewayConfig): void {
    RED.nodes.createNode(this, config);
    // What `hookline start` gives its Node-RED stands in for what is not entered.
    const url = config.url || process.env['HOOKLINE_URL'] || '';
    const key = this.credentials?.['key'] || process.env['HOOKLINE_FLOW_KEY'] || '';
    const address = parseGatewayAddress(url);
    const users = new Map<string, GatewayUser>();
    let hadUsers = false;
    let wasLost = false;

    const setState = (next: GatewayState): void => {
      this.state = next;
      for (const user of users.values()) user.onState(next);
    };
    const onLive = (live: LiveState): void => {
      if (live.kind === 'idle') return;
      setState(live.kind === 'disconnected' ? live : { kind: live.kind });
      // It may be another gateway now, or one that was set back.
      if (live.kind === 'connected' && wasLost) declaration.apply();
      if (live.kind !== 'connecting') wasLost = live.kind === 'disconnected';
    };
    const client: GatewayClient | null =
      address === null || key === '' ? null : createGatewayClient({ address, key, onState: onLive });
    const requireClient = (): GatewayClient => {
      if (client === null) throw notConfigured(address === null ? 'address' : 'key');
      return client;
    };
    const troubles = followTroubles(requireClient, users);
    const declaration = createFlowDeclaration({
      apply: (endpoints) => requireClient().applyFlow(this.id, endpoints),
      onApplied: (applied) => {
        const live = client?.state.kind;
        if (live === 'idle' || live === 'connected') setState({ kind: 'connected' });
        for (const endpoint of applied) users.get(endpoint.key)?.onApplied?.(endpoint);
        troubles.follow(applied);
      },
      onRefused: (nodeId, error) => users.get(nodeId)?.onRefused?.(error),
      onError: (error) => setState({ kind: 'disconnected', error }),
      wait: realWait,
      random: Math.random,
    });

    this.users = {};
    this.baseUrl = address?.base ?? null;
    this.state =
      client === null
        ? { kind: 'disconnected', error: notConfigured(address === null ? 'address' : 'key') }
        : { kind: 'connecting' };
    this.client = requireClient;
    this.register = (user) => {
      hadUsers = true;
      users.set(user.node.id, user);
      this.users[user.node.id] = user.node;
      if (user.endpoint !== undefined) declaration.set(user.endpoint);
      user.onState(this.state);
    };
    this.deregister = (nodeId) => {
      users.delete(nodeId);
      delete this.users[nodeId];
      declaration.remove(nodeId);
    };
    this.redeclare = () => declaration.apply();

    // One declaration per deploy, when all of its nodes have registered.
    const onStarted = (): void => {
      if (client !== null && hadUsers && declaration.isChanged) declaration.apply();
    };
    RED.events.on('flows:started', onStarted);

    this.on('close', (removed: boolean, done: () => void) => {
      RED.events.off('flows:started', onStarted);
      declaration.close();
      troubles.close();
      void leaveGateway(client, removed ? this.id : null).finally(done);
    });
  }
}

function notConfigured(missing: 'address' | 'key'): GatewayError {
  return new GatewayError(
    'NOT_CONFIGURED',
    missing === 'address'
      ? 'The gateway node has no address, or one that is not http or https; enter the address of the gateway.'
      : 'The gateway node has no key; enter one with the scope "flow", as "hookline keys create" prints it.',
  );
}

/** Node-RED should not notice that a node closes. */
const FAREWELL_MS = 500;

/** @param owner whose endpoints to retire, because the node was deleted; null where it is only stopped. */
async function leaveGateway(client: GatewayClient | null, owner: string | null): Promise<void> {
  if (client === null) return;
  if (owner !== null) {
    const late = new AbortController();
    // Where the gateway is away, the endpoints stay until somebody deletes them there.
    const retired = client.applyFlow(owner, []).catch(() => undefined);
    await Promise.race([retired, realWait(FAREWELL_MS, late.signal).catch(() => undefined)]);
    late.abort();
  }
  await client.close();
}
