"""What one message of a call costs, layer by layer, and how much of that is the server's."""
