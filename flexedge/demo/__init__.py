"""A simulated site with physics, on real sockets, to try flexedge on."""
