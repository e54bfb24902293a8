import { openLiveClient } from '../../support/graphql-client.ts';
import { askProduct } from './product-client.ts';
import type { ProductAccess } from './product-client.ts';

/** A delivery as GraphQL shows it. */
export interface StoredDelivery {
  eventId: string;
  endpointUrl: string;
  status: string;
  attemptCount: number;
}

interface DeliveryPage {
  deliveries: {
    edges: {
      node: {
        id: string;
        status: string;
        attemptCount: number;
        event: { id: string };
        endpoint: { url: string };
      };
    }[];
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
    liveCursor: string;
  };
}

const OPEN_STATUSES = ['PENDING', 'SENDING', 'RETRYING', 'FAILED', 'HELD'];

const PAGE = `query Page($after: String, $filter: DeliveryFilter) {
  deliveries(first: 500, after: $after, filter: $filter) {
    edges { node { id status attemptCount event { id } endpoint { url } } }
    pageInfo { hasNextPage endCursor }
    liveCursor
  }
}`;

/** Waits until no delivery is open: asks which are, and follows those until they are over. */
export async function untilNoneIsOpen(product: ProductAccess): Promise<void> {
  for (;;) {
    const { deliveries } = await askProduct<DeliveryPage>(product, PAGE, {
      filter: { statuses: OPEN_STATUSES },
    });
    if (deliveries.edges.length === 0) return;
    await followToTheEnd(
      product,
      new Set(deliveries.edges.map(({ node }) => node.id)),
      deliveries.liveCursor,
    );
  }
}

async function followToTheEnd(
  { url, adminKey }: ProductAccess,
  open: Set<string>,
  after: string,
): Promise<void> {
  const client = openLiveClient(`${url}/graphql`, adminKey);
  try {
    const changes = client.iterate<{ deliveries: { node: { id: string; status: string } } }>({
      query: 'subscription Follow($after: String) { deliveries(after: $after) { node { id status } } }',
      variables: { after },
    });
    for await (const { data, errors } of changes) {
      if (!data) throw new Error(`The live deliveries ended: ${JSON.stringify(errors)}`);
      const { id, status } = data.deliveries.node;
      if (!OPEN_STATUSES.includes(status)) open.delete(id);
      if (open.size === 0) return;
    }
    throw new Error(`The live deliveries ended while ${open.size} were open.`);
  } finally {
    await client.dispose();
  }
}

/** All deliveries, page by page. */
export async function readAllDeliveries(product: ProductAccess): Promise<StoredDelivery[]> {
  const all: StoredDelivery[] = [];
  let after: string | null = null;
  for (;;) {
    const { deliveries }: DeliveryPage = await askProduct<DeliveryPage>(product, PAGE, { after });
    for (const { node } of deliveries.edges) {
      const { status, attemptCount, event, endpoint } = node;
      all.push({ eventId: event.id, endpointUrl: endpoint.url, status, attemptCount });
    }
    if (!deliveries.pageInfo.hasNextPage) return all;
    after = deliveries.pageInfo.endCursor;
  }
}
