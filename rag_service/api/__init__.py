"""One module per wire format: each translates to and from chat types, and does nothing else."""
