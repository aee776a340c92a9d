"""An archive in the gateway's own folder: a journal, Parquet partitions, DuckDB over both."""
