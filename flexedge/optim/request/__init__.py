"""From what FlexMeasures is asked (JSON with field names) to a problem, and back to outputs."""
