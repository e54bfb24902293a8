import { badInput } from '../errors.ts';
import type { EndpointKind, FlowEndpointInput } from '../services.ts';
import { endpointInput } from './endpoint-input.ts';
import type { GivenEndpoint } from './endpoint-input.ts';
import { parseMoment } from './moment.ts';

/** An endpoint of a flow as the API takes it. */
export type GivenFlowEndpoint = Omit<GivenEndpoint, 'paused'> & {
  key: string;
  kind: EndpointKind;
  results?: boolean | null | undefined;
  includeTest?: boolean | null | undefined;
  startFrom?: string | null | undefined;
};

/**
 * One endpoint of a declaration.
 * @param place where it stands in the list, for the error's field
 * @throws BAD_USER_INPUT for a kind that no flow declares and for a start that is none
 */
export function flowEndpointInput(given: GivenFlowEndpoint, place: number): FlowEndpointInput {
  const { key, kind, results, includeTest, startFrom, ...settings } = given;
  const field = `input.endpoints.${place}`;
  if (kind !== 'FLOW' && kind !== 'WEBHOOK') {
    throw badInput(
      `${field}.kind`,
      `A flow cannot declare an endpoint of kind ${kind}; give FLOW or WEBHOOK.`,
    );
  }
  return {
    ...endpointInput(settings),
    key,
    kind,
    ...(results == null ? {} : { results }),
    ...(includeTest == null ? {} : { includeTest }),
    ...(startFrom == null ? {} : { startFrom: parseStart(startFrom, `${field}.startFrom`) }),
  };
}

function parseStart(given: string, field: string): 'NOW' | 'OLDEST' | number {
  const word = given.toUpperCase();
  if (word === 'NOW' || word === 'OLDEST') return word;
  const at = parseMoment(given);
  if (at !== null) return at;
  throw badInput(
    field,
    `"${given.slice(0, 60)}" is no start; give now, oldest, or a moment in ISO 8601 like 2026-01-31T06:00:00Z.`,
  );
}
