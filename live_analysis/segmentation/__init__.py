"""From grey values to phases: thresholds, components, distances, how much there is and what hangs together."""
