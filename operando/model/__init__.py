"""Plain data that every folder must agree on."""
