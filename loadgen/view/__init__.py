"""What a terminal shows while a run lasts, and when it is over."""
