"""What the node was before us: recorded durably before the first change, so that `restore` can put it back."""
