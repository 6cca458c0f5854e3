"""What is in the cell: slices, states beside each other, and the quantities that were measured."""
