"""Turns HTTP requests into calls: the API, the live events and the page."""
