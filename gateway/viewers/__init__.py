"""The players' side: what a viewer is sent, and what it says about it."""
