"""HTTP: the owner's page and the API that serves it."""
