import type { EndpointInput } from '../services.ts';

/** The settings of an endpoint as the API takes them: what is left out leaves a setting alone. */
export type GivenEndpoint = {
  [Name in keyof Omit<EndpointInput, 'headers'>]: EndpointInput[Name] | null | undefined;
} & {
  headers?:
    | readonly { name: string; value: string; secret?: boolean | null | undefined }[]
    | null
    | undefined;
  urlIsSecret?: boolean | null | undefined;
};

/**
 * The settings that were given. Null is one only where it means something: the installation's schedule, no
 * expression, no limit. Anywhere else it leaves the setting alone.
 */
export function endpointInput({
  headers,
  ...others
}: GivenEndpoint): EndpointInput & { urlIsSecret?: boolean } {
  const given = Object.entries(others).filter(
    ([name, value]) => value !== undefined && (value !== null || CLEARABLE.has(name)),
  );
  return {
    ...(Object.fromEntries(given) as EndpointInput),
    ...(headers == null
      ? {}
      : { headers: headers.map(({ name, value, secret }) => ({ name, value, secret: secret ?? false })) }),
  };
}

type Clearable = {
  [Name in keyof EndpointInput]-?: null extends EndpointInput[Name] ? Name : never;
}[keyof EndpointInput];

const CLEARABLE: ReadonlySet<string> = new Set(
  Object.keys({
    retrySchedule: true,
    filter: true,
    payload: true,
    orderBy: true,
    rateLimitPerSecond: true,
    timeToLiveSeconds: true,
  } satisfies Record<Clearable, true>),
);
