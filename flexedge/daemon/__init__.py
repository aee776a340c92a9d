"""The process: what it is built from, what runs when, and how it ends."""
