"""What the guard's log of one step tells: capacity, relaxation of the pressure, and where its slope breaks."""
