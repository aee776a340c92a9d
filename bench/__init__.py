"""Speed, as ratios: what we take over what the same work takes without us, in the same run."""
