"""Rules as documents that operations managers write: read strictly, compiled, described, compared."""
