import base64, hashlib, hmac, time


def verify_webhook(body: bytes, headers, secret: str, now=None) -> bool:
    """True where the headers sign exactly these bytes, within five minutes of now."""
    webhook_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not webhook_id or not (timestamp.isascii() and timestamp.isdigit()):
        return False
    if abs((time.time() if now is None else now) - int(timestamp)) > 300:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    entries = headers.get("webhook-signature", "").split(" ")
    return any(e.startswith("v1,") and hmac.compare_digest(e[3:].encode(), expected) for e in entries)
