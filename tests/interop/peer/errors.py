"""What is wrong with something that a peer said."""


class Malformed(Exception):
    """Bytes that the formats do not allow, or a signature that does not verify."""
