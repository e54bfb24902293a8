-- Lets the first that waits for a key hold it. Params: now ms, endpoint no, order key (twice).
-- Returns its seq, lane and due ms; nothing where nobody waits or somebody holds the key already.
UPDATE deliveries SET order_state = 1, due_at = MAX(due_at, ?)
WHERE seq = (
  SELECT seq FROM deliveries INDEXED BY deliveries_of_key
  WHERE endpoint_no = ? AND order_key = ? AND order_state > 0 ORDER BY seq LIMIT 1
) AND order_state = 2
RETURNING seq, lane, due_at
