"""Revisions of the relational tables, one module each, numbered as they follow each other."""
