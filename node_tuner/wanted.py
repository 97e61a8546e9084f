"""From a profile and a machine to knobs: what is wanted here, in the order in which it is applied."""
