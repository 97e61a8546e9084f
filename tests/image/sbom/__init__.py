"""The bill of materials: each reader by itself, and the bill of the image that was built."""
