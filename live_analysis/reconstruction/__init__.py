"""From attenuation integrals to volumes: filters, back projections, and the bore-and-wall model of a truncated view."""
