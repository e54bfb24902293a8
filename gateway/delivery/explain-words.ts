/** A moment as explanations write it: ISO 8601, UTC, with milliseconds. */
export function formatMoment(at: number): string {
  return new Date(at).toISOString();
}

/** Why a delivery stands where it stands, as the end of a sentence; a code without words of its own as it is. */
export function describeReason(reason: string | null): string {
  if (reason === null) return 'no reason is known';
  const status = /^http_(\d+)$/.exec(reason)?.[1];
  if (status !== undefined) return `the receiver answered with status ${status}`;
  return REASONS[reason] ?? `the reason is ${reason}`;
}

/** Who switched an endpoint off, as a remark in brackets; nothing where a person did. */
export function describeDisabled(disabledReason: string | null): string {
  if (disabledReason === null) return '';
  return ` (by the gateway: ${DISABLED_REASONS[disabledReason] ?? disabledReason})`;
}

/** "1 attempt", "12 attempts". */
export function countAttempts(count: number): string {
  return count === 1 ? '1 attempt' : `${count} attempts`;
}

const REASONS: Readonly<Record<string, string>> = {
  gone: 'the receiver said that it is gone for good (status 410)',
  dns: 'the name of the host could not be resolved',
  connect: 'no connection came about',
  tls: 'the connection could not be secured',
  timeout: 'no answer came in time',
  redirect: 'the receiver answered with a redirect, which is never followed',
  auth: 'the credential was not accepted',
  refused_by_policy: 'the egress policy does not allow the address',
  flow_error: 'the flow reported that it failed',
  unknown: 'it was sent, but no answer came',
  endpoint_gone: 'the endpoint was deleted',
  cancelled_by_hand: 'it was called off by hand',
  retried_by_hand: 'it was retried by hand',
  replayed: 'it was replayed',
  newer_one_came: 'a newer one of the same key came',
  time_to_live_passed: 'its time to live passed',
  filter_failed: 'the filter of the endpoint raised an error on this event',
  order_failed: 'the expression for the key of the endpoint raised an error on this event',
  payload_failed: 'the payload template of the endpoint raised an error on this event',
};

const DISABLED_REASONS: Readonly<Record<string, string>> = {
  gone: 'its receiver said that it is gone for good',
  failing_too_long: 'its receiver had nothing but failures for days',
};
