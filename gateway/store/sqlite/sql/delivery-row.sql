-- A delivery as people see it, without its lease. Params: seq.
SELECT d.*, e.id AS event_id, COALESCE(l.held, 0) AS held
FROM deliveries d JOIN events e ON e.seq = d.event_seq LEFT JOIN lanes l ON l.endpoint_no = d.endpoint_no
WHERE d.seq = ?
