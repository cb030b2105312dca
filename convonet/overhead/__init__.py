"""What the platform itself adds to a turn: measured against stand-ins that take no time."""
