/** More indexes than this walked side by side are dearer than one walk that leaves out what does not match. */
const MOST_WALKS = 64;

/**
 * The types that patterns stand for, out of those that were ever seen.
 * @returns null for all.
 */
export async function expandTypes(
  patterns: readonly string[],
  knownTypes: () => Promise<string[]>,
): Promise<string[] | null> {
  if (patterns.includes('*')) return null;
  const families = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  const types = new Set(patterns.filter((pattern) => !pattern.endsWith('*')));
  if (families.length > 0) {
    for (const type of await knownTypes()) {
      if (families.some((family) => type.startsWith(family))) types.add(type);
    }
  }
  return [...types];
}

/** The streams in which all events of these types stand, each once. */
export function chooseEventIndexes(types: readonly string[] | null): string[] {
  if (types === null || types.length > MOST_WALKS) return ['ev'];
  return types.map((type) => `ev:t:${type}`);
}

/** The streams in which all deliveries of these endpoints and types stand, each once; the narrowest there are. */
export function chooseDeliveryIndexes(
  endpointIds: readonly string[] | null,
  types: readonly string[] | null,
): string[] {
  const endpoints = endpointIds && [...new Set(endpointIds)];
  if (endpoints && types && endpoints.length * types.length <= MOST_WALKS) {
    return endpoints.flatMap((endpointId) => types.map((type) => `dl:et:${endpointId}:${type}`));
  }
  if (endpoints && endpoints.length <= MOST_WALKS) return endpoints.map((endpointId) => `dl:e:${endpointId}`);
  if (types && types.length <= MOST_WALKS) return types.map((type) => `dl:t:${type}`);
  return ['dl'];
}
