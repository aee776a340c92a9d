"""FlexMeasures' API v3_0, and what goes beyond it: one module per resource."""
