import type { EndpointInput } from '../services.ts';

/** The settings of an endpoint as the API takes them: what is left out and null both leave a setting alone. */
export type GivenEndpoint = {
  [Name in keyof Omit<EndpointInput, 'headers'>]: EndpointInput[Name] | null | undefined;
} & {
  headers?:
    | readonly { name: string; value: string; secret?: boolean | null | undefined }[]
    | null
    | undefined;
};

/**
 * The settings that were given. `retrySchedule: null` is a setting of its own: the installation's schedule.
 */
export function endpointInput({ headers, retrySchedule, ...others }: GivenEndpoint): EndpointInput {
  const given = Object.entries(others).filter(([, value]) => value != null);
  return {
    ...(Object.fromEntries(given) as EndpointInput),
    ...(headers == null
      ? {}
      : { headers: headers.map(({ name, value, secret }) => ({ name, value, secret: secret ?? false })) }),
    ...(retrySchedule === undefined ? {} : { retrySchedule }),
  };
}
