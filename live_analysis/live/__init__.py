"""The volume of a tomogram while its projections arrive."""
