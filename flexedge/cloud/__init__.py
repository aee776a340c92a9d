"""Servers elsewhere: a central FlexMeasures, or another flexedge."""
