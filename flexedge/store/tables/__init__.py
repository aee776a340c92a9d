"""The relational tables: models, what reads and writes them, and how they came to be."""
