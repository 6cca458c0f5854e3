"""What is measured by comparing a state of the cell with the pristine one."""
