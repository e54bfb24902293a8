-- Who holds an event id. Params: id. Returns source no and received ms.
SELECT source_no, received_at FROM events WHERE id = ?
