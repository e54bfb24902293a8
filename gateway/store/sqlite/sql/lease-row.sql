-- Everything a worker needs for one delivery. Params: seq.
SELECT d.seq, d.endpoint_no, d.attempts, d.generation, d.step, d.order_key, d.created_at, d.context,
  e.id, e.source_no, e.type_no, e.occurred_at, e.received_at, e.machine_id, e.machine, e.flags, e.hops, e.body, e.raw
FROM deliveries d JOIN events e ON e.seq = d.event_seq
WHERE d.seq = ?
