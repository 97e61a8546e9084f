"""Plan, apply, verify, restore: what is wanted against what is found, whatever it is."""
