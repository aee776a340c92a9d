"""What programs write to each other: FlexMeasures' API v3_0, each shape once."""
