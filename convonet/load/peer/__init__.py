"""What runs in a peer's own environment: nothing of the product can be imported there."""
