"""What Open WebUI sends and asks for, understood: pure functions over data, no HTTP and no model."""
