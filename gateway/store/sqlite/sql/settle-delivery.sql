-- What became of a delivery after a lease. Params: status, lane, due ms or NULL, step, attempts made (0 or 1), reason, completed ms or NULL, seq.
-- Returns the row as it is now.
UPDATE deliveries
SET status = ?, lane = ?, due_at = ?, step = ?, attempts = attempts + ?, reason = ?, completed_at = ?
WHERE seq = ?
RETURNING attempts, generation
