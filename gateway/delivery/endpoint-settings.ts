import type { Endpoint } from '../services.ts';

/** What whoever registers an endpoint decides about it. */
export type EndpointSettings = Pick<
  Endpoint,
  | 'url'
  | 'urlIsSecret'
  | 'description'
  | 'events'
  | 'active'
  | 'paused'
  | 'headers'
  | 'machines'
  | 'machineGroups'
  | 'delaySeconds'
  | 'retrySchedule'
  | 'timeoutSeconds'
  | 'maxConcurrency'
  | 'successStatus'
  | 'legacySignature'
  | 'includeTest'
  | 'filter'
  | 'payload'
  | 'orderBy'
  | 'onFailed'
  | 'newestOnly'
  | 'rateLimitPerSecond'
  | 'timeToLiveSeconds'
>;

/** An endpoint of which nothing was said but its URL. */
export const DEFAULT_SETTINGS: Omit<EndpointSettings, 'url'> = {
  urlIsSecret: false,
  description: '',
  events: [],
  active: true,
  paused: false,
  headers: [],
  machines: [],
  machineGroups: [],
  delaySeconds: 0,
  retrySchedule: null,
  timeoutSeconds: 5,
  maxConcurrency: 32,
  successStatus: 'ANY_2XX',
  legacySignature: true,
  includeTest: false,
  filter: null,
  payload: null,
  orderBy: null,
  onFailed: 'WAIT',
  newestOnly: false,
  rateLimitPerSecond: null,
  timeToLiveSeconds: null,
};
