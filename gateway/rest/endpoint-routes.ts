import { badInput, HooklineError } from '../errors.ts';
import type { Endpoint, EndpointInput, Services } from '../services.ts';
import { deliveryJson, endpointJson } from './endpoint-json.ts';
import { refuseUnknownMembers } from './json-body.ts';
import type { JsonBody } from './json-body.ts';
import type { Route } from './route.ts';

/** `/api/v2/webhooks/endpoints`: the endpoint operations, so that the vendor's own `curl` works unchanged. */
export function endpointRoutes({
  endpoints,
  deliveries,
}: Pick<Services, 'endpoints' | 'deliveries'>): Route[] {
  const found = (id: string): Endpoint => {
    const endpoint = endpoints.find(id);
    if (endpoint !== null) return endpoint;
    throw new HooklineError(
      'NOT_FOUND',
      `There is no endpoint "${id}": list the endpoints to see their ids.`,
    );
  };
  return [
    {
      method: 'GET',
      path: COLLECTION,
      scopes: ['webhooks:read'],
      answer: ({ principal }) => ({
        status: 200,
        body: { data: endpoints.list().map((endpoint) => endpointJson(endpoint, principal)) },
      }),
    },
    {
      method: 'POST',
      path: COLLECTION,
      scopes: ['webhooks:write'],
      async answer({ principal, readBody }) {
        const { endpoint, secret } = await endpoints.create(settingsIn(await readBody()));
        return { status: 201, body: { ...endpointJson(endpoint, principal), secret } };
      },
    },
    {
      method: 'GET',
      path: ONE,
      scopes: ['webhooks:read'],
      answer: ({ id, principal }) => ({ status: 200, body: endpointJson(found(id), principal) }),
    },
    {
      method: 'PATCH',
      path: ONE,
      scopes: ['webhooks:write'],
      async answer({ id, principal, readBody }) {
        const endpoint = await endpoints.update(found(id).id, settingsIn(await readBody()));
        return { status: 200, body: endpointJson(endpoint, principal) };
      },
    },
    {
      method: 'DELETE',
      path: ONE,
      scopes: ['webhooks:write'],
      async answer({ id }) {
        if (await endpoints.remove(found(id).id)) return { status: 204 };
        throw new HooklineError('NOT_FOUND', `The endpoint "${id}" is deleted already.`);
      },
    },
    {
      method: 'POST',
      path: `${ONE}/test`,
      scopes: ['webhooks:write', 'flow'],
      async answer({ id, readBody }) {
        const body = await readBody();
        refuseUnknownMembers(body, ['eventType']);
        const { eventType } = body;
        if (typeof eventType !== 'string' || eventType === '') {
          throw badInput(
            'eventType',
            'A test needs the type of its event, such as {"eventType":"work_order.created"}.',
          );
        }
        return { status: 201, body: deliveryJson(await deliveries.sendTest(found(id).id, eventType)) };
      },
    },
    {
      method: 'POST',
      path: `${ONE}/rotate`,
      scopes: ['webhooks:write'],
      async answer({ id, principal, readBody }) {
        const body = await readBody();
        refuseUnknownMembers(body, ['overlapSeconds']);
        const { overlapSeconds } = body;
        if (overlapSeconds !== undefined && typeof overlapSeconds !== 'number') {
          throw badInput('overlapSeconds', 'The overlap must be a number of seconds.');
        }
        const { endpoint, secret } = await endpoints.rotateSecret(found(id).id, overlapSeconds);
        return { status: 200, body: { ...endpointJson(endpoint, principal), secret } };
      },
    },
  ];
}

const COLLECTION = '/api/v2/webhooks/endpoints';
const ONE = `${COLLECTION}/:id`;

const SETTINGS: readonly (keyof EndpointInput | 'urlIsSecret')[] = [
  'url',
  'urlIsSecret',
  'events',
  'description',
  'active',
  'paused',
  'secret',
  'headers',
  'machines',
  'machineGroups',
  'delaySeconds',
  'retrySchedule',
  'timeoutSeconds',
  'maxConcurrency',
  'successStatus',
  'legacySignature',
  'ed25519',
  'filter',
  'payload',
  'orderBy',
  'onFailed',
  'newestOnly',
  'rateLimitPerSecond',
  'timeToLiveSeconds',
];

/** The registry checks the values; here it matters that nothing is said that it would not hear. */
function settingsIn(body: JsonBody): EndpointInput {
  refuseUnknownMembers(body, SETTINGS);
  return body;
}
