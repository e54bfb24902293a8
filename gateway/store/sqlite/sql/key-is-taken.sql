-- Whether an earlier delivery of this key still holds or awaits it. Params: endpoint no, order key.
SELECT 1 FROM deliveries INDEXED BY deliveries_of_key WHERE endpoint_no = ? AND order_key = ? AND order_state > 0 LIMIT 1
