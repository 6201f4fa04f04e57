"""What all messages share: the lanes in which they are counted, and limits (wire.md, "A message")."""

URGENT, NORMAL, BULK = "urgent", "normal", "bulk"
MOST_BODY = 16_384
MOST_IDS = 480
