"""Build-time preparation of the detection models and of the self-test picture; not part of the running service."""
