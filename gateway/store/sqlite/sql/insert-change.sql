-- One change of a delivery in the journal. Params: seq, delivery seq, at ms, status, attempts, step, generation, due ms, completed ms, reason.
INSERT INTO changes (seq, delivery_seq, at, status, attempts, step, generation, due_at, completed_at, reason)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
