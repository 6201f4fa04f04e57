"""A peer written from protocol/wire.md, seeds.md and certificate.md alone."""
