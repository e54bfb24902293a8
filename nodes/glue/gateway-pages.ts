import { GatewayError } from '../client/gateway-error.ts';
import { findGateway } from './gateway-node.ts';
import type { GatewayNode } from './gateway-node.ts';
import type { AdminRequest, AdminResponse, NodeRed } from './node-red-api.ts';

/**
 * What the editor's dialogs ask for, in the editor's own HTTP API:
 * - `GET hookline/gateway/:id/status`: how the gateway stands, and the address the MES posts to
 * - `GET hookline/gateway/:id/event-types`: the catalogue
 *
 * Both know deployed gateway nodes only and answer 404 for others.
 */
export function serveGatewayPages(RED: NodeRed): void {
  const mayRead = RED.auth.needsPermission('hookline.read');
  const serve = (path: string, read: (gateway: GatewayNode) => Promise<unknown>): void => {
    RED.httpAdmin.get(path, mayRead, (request: AdminRequest, response: AdminResponse) => {
      const gateway = findGateway(RED, request.params['id']);
      if (gateway === null) {
        response.status(404).json({ code: 'NOT_FOUND', message: 'This gateway node is not deployed yet.' });
        return;
      }
      read(gateway).then(
        (body) => response.json(body),
        (error: unknown) => {
          const { code, message } =
            error instanceof GatewayError ? error : { code: 'INTERNAL', message: String(error) };
          response.status(502).json({ code, message });
        },
      );
    });
  };
  serve('/hookline/gateway/:id/status', readStatus);
  serve('/hookline/gateway/:id/event-types', async (gateway) => gateway.client().eventTypes());
}

/** What the dialog of a gateway node shows. */
export interface GatewayStatusPage {
  /** The gateway, as entered or from the environment; null where there is none. */
  url: string | null;
  /** Whose key it is; null where the gateway cannot be asked, and `error` says why. */
  viewer: { name: string; scopes: string[] } | null;
  error: { code: string; message: string } | null;
}

async function readStatus(gateway: GatewayNode): Promise<GatewayStatusPage> {
  const url = gateway.baseUrl;
  try {
    return { url, viewer: await gateway.client().viewer(), error: null };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { url, viewer: null, error: { code: error.code, message: error.message } };
  }
}
