-- What became of a delivery after a lease. Params: status, lane, due ms or NULL, step, attempts made (0 or 1), reason,
-- completed ms or NULL, frees its key (0 or 1), seq. Returns attempts, generation, order key and the state it had.
UPDATE deliveries
SET status = ?, lane = ?, due_at = ?, step = ?, attempts = attempts + ?, reason = ?, completed_at = ?,
  order_state = CASE WHEN ? = 1 THEN 0 ELSE order_state END
WHERE seq = ?
RETURNING attempts, generation, order_key
