-- One debt. Params: seq, event seq, endpoint no, type no, status, due ms or NULL, flags, created ms, order key, order state, reason, context.
INSERT INTO deliveries (seq, event_seq, endpoint_no, type_no, status, lane, due_at, step, generation, attempts, flags, created_at, order_key, order_state, reason, context)
VALUES (?, ?, ?, ?, ?, 0, ?, 0, 0, 0, ?, ?, ?, ?, ?, ?)
