-- A stored event by its id. Params: id.
SELECT seq, id, source_no, type_no, occurred_at, received_at, machine_id, machine, flags, hops, body, raw
FROM events WHERE id = ? AND body IS NOT NULL
