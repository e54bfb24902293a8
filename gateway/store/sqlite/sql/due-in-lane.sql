-- What stands next in one lane, oldest due first. Params: endpoint no, lane, due ms and seq to start after, how many.
-- Returns due ms and seq only: rows are read once it is known which of them go.
SELECT due_at, seq FROM deliveries INDEXED BY deliveries_due
WHERE endpoint_no = ? AND lane = ? AND due_at IS NOT NULL AND order_state < 2 AND (due_at, seq) > (?, ?)
ORDER BY due_at, seq
LIMIT ?
