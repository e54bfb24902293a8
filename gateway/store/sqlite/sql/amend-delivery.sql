-- A person's wish. Params: status, due ms or NULL, generation added (0 or 1), step, reason, completed ms or NULL, seq.
UPDATE deliveries
SET status = ?, due_at = ?, generation = generation + ?, step = ?, reason = ?, completed_at = ?, lane = 1
WHERE seq = ?
RETURNING attempts, generation, endpoint_no
