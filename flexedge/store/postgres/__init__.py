"""An archive on a PostgreSQL server, for installations that outgrow the gateway's own files."""
