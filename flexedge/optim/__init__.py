"""The optimisation: a problem as values, a linear program as sparse blocks, a schedule out."""
