"""The ways to the kernel: each file is one kind of control. `control_of` finds one again from a record."""
