"""The one place where simulators, guard, devices, plans and analysis are put together."""
