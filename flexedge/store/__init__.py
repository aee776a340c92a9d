"""What is kept: time series in DuckDB (``beliefs``), everything else in SQLite (``state``)."""
