"""A fleet of gateways and one centre, as events in simulated time."""
