-- A person's wish. Params: status, due ms or NULL, generation added (0 or 1), step, reason, completed ms or NULL, seq.
-- It leaves the order of its key: what is retried by hand goes when it is asked for.
UPDATE deliveries
SET status = ?, due_at = ?, generation = generation + ?, step = ?, reason = ?, completed_at = ?, lane = 1, order_state = 0
WHERE seq = ?
RETURNING attempts, generation, endpoint_no, order_key
