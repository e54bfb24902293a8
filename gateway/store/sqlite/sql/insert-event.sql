-- Stores an event unless its id is known: insert-first, so that two copies can never both win.
-- Params: seq, id, source no, type no, occurred ms, received ms, machine id, machine JSON, flags, direct, hops, body, raw.
-- Returns nothing; `changes` is 0 where the id was known.
INSERT INTO events (seq, id, source_no, type_no, occurred_at, received_at, machine_id, machine, flags, direct, hops, body, raw)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO NOTHING
