"""What is under load: whether it may be, where its sessions open, and what it says of itself."""
