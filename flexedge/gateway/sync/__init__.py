"""Keeping in step with central servers."""
