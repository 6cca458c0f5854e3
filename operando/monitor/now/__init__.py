"""The page that is read at 3 a.m.: present values, limits, alarms, and what comes next."""
