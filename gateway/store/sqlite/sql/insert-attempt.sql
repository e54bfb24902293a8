-- One try. Params: delivery seq * 4096 + number, started ms, duration ms, outcome, status code, request headers JSON,
-- request body or NULL for the event's, response headers JSON, response body, error code, error message.
INSERT OR REPLACE INTO attempts (id, started_at, duration_ms, outcome, status_code, request_headers, request_body, response_headers, response_body, error_code, error_message)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
