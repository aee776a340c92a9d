"""Devices: one protocol (``driver``), one shared connection (``line``), one family a folder."""
