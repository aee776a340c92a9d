"""The installed program and a real FlexMeasures server."""
